"""postgresql.py - a PostgreSQL server of a test's own: Debian's, in a temporary folder, on a Unix socket,
as an unprivileged user, gone at the end."""
import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time


def programs():
    """The folder of the newest server's programs, or None."""
    found = sorted(glob.glob('/usr/lib/postgresql/*/bin/postgres'), key=lambda p: int(p.split('/')[4]))
    return os.path.dirname(found[-1]) if found else None


class Postgresql:
    """durable: what it says is kept is on disk, as in production; else it is quick."""

    def __init__(self, durable=True):
        self.folder = tempfile.mkdtemp(prefix='sekisho-pg-', dir='/tmp')
        self.data = self.folder + '/data'
        self.log = self.folder + '/log'
        self.durable = durable
        self.process = None
        # A server refuses to run as root.
        self.user = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam('postgres')
            self.user = {'user': user.pw_uid, 'group': user.pw_gid, 'extra_groups': []}
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        os.chmod(self.folder, 0o755)
        self.url = f'postgresql:///postgres?host={self.folder}&user=sekisho'
        self._run('initdb', '-D', self.data, '-U', 'sekisho', '-A', 'trust', '-E', 'UTF8',
                  '--locale=C.UTF-8', '--no-sync')
        self.start()

    def _run(self, program, *args):
        subprocess.run([f'{programs()}/{program}', *args], check=True, cwd=self.folder,
                       stdout=subprocess.DEVNULL, **self.user)

    def start(self):
        settings = {'listen_addresses': '', 'unix_socket_directories': self.folder, 'shared_buffers': '64MB',
                    'unix_socket_permissions': '0777', 'fsync': 'on' if self.durable else 'off'}
        args = [f'{programs()}/postgres', '-D', self.data]
        for name, value in settings.items():
            args += ['-c', f'{name}={value}']
        with open(self.log, 'a') as log:
            self.process = subprocess.Popen(args, cwd=self.folder, stdout=log, stderr=log, **self.user)
        for _ in range(600):
            if subprocess.run([f'{programs()}/pg_isready', '-q', '-h', self.folder], **self.user).returncode == 0:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError('PostgreSQL does not start:\n' + open(self.log).read())

    def ask(self, sql, database='postgres'):
        """Rows as text, columns parted by |."""
        return subprocess.run([f'{programs()}/psql', '-X', '-q', '-A', '-t', '-h', self.folder, '-U', 'sekisho',
                               '-v', 'ON_ERROR_STOP=1', '-c', sql, database],
                              check=True, capture_output=True, text=True).stdout.splitlines()

    def stop(self, how=signal.SIGINT):
        """SIGINT: at once and in order. SIGQUIT: like a crash, with all its processes."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(60)

    def close(self):
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)
