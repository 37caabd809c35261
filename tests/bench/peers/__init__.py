"""One module for each server that is measured. Each has

    servers(data, tools): [(name, argv, files)]

where data is a DataSet of tests/bench/dns, tools the paths of our own programs, and files a dictionary of
what must stand in the server's folder, by name. argv and files may hold "{folder}" and "{port}". A server that is not
installed or does not know such data is not in the list."""
