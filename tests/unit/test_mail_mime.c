/* test_mail_mime.c - the MIME tree, transfer encodings, limits. */
#include "test.h"

#include "base/arena.h"
#include "mail/mime.h"

/* "depth type [body]" of each leaf. */
static void leaves(struct slice mail, struct buf *out)
{
	struct arena *a = arena_new(MIME_ARENA_SIZE);
	struct mime_tree t;

	assert_true(mime_parse(mail, a, &t));
	for (size_t i = 0; i < t.count; i++) {
		struct mime_part *p = &t.parts[i];

		if (!p->is_leaf)
			continue;
		buf_addf(out, "%u %s [", p->depth, p->type);
		mime_text(p, out);
		buf_add_str(out, "]\n");
	}
	arena_free(a);
}

static void test_trees(void **state)
{
	static const struct {
		const char *label, *mail, *want;
	} cases[] = {
		{"no MIME", "A: 1\n\nhello\n", "0 text/plain [hello\n]\n"},
		{"empty", "", "0 text/plain []\n"},
		{"head only", "A: 1\n", "0 text/plain []\n"},
		{"two parts",
			"Content-Type: multipart/mixed; "
			"boundary=x\n\npre\n--x\n\none\n--x\nContent-Type: "
			"text/HTML\n\ntwo\n--x--\npost\n",
			"1 text/plain [one]\n1 text/html [two]\n"},
		{"CRLF",
			"Content-Type: multipart/mixed; "
			"boundary=x\r\n\r\n--x\r\n\r\none\r\n\r\n--x--\r\n",
			"1 text/plain [one\r\n]\n"},
		{"CR", "Content-Type: multipart/mixed; boundary=x\r\r--x\r\rone\r--x--\r",
			"1 text/plain [one]\n"},
		{"not closed", "Content-Type: multipart/mixed; boundary=x\n\n--x\n\none",
			"1 text/plain [one]\n"},
		{"longer boundary is text",
			"Content-Type: multipart/mixed; "
			"boundary=x\n\n--x\n\none\n--xy\ntwo\n--x--\n",
			"1 text/plain [one\n--xy\ntwo]\n"},
		{"blanks behind",
			"Content-Type: multipart/mixed; boundary=x\n\n--x \t\n\none\n--x-- \n",
			"1 text/plain [one]\n"},
		{"nested",
			"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: "
			"multipart/alternative; boundary=\"x y\"\n\n--x y\n\n1\n--x y\n\n2\n--x "
			"y--\n--x\n\n3\n--x--\n",
			"2 text/plain [1]\n2 text/plain [2]\n1 text/plain [3]\n"},
		{"outer ends inner",
			"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: "
			"multipart/mixed; boundary=y\n\n--y\n\n1\n--x\n\n2\n--x--\n",
			"2 text/plain [1]\n1 text/plain [2]\n"},
		{"message",
			"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: "
			"message/rfc822\n\nSubject: s\n\nin\n--x\n\nout\n--x--\n",
			"2 text/plain [in]\n1 text/plain [out]\n"},
		{"message with parts",
			"Content-Type: message/rfc822\n\nContent-Type: multipart/mixed; "
			"boundary=q\n\n--q\n\nin\n--q--\n",
			"2 text/plain [in]\n"},
		{"digest",
			"Content-Type: multipart/digest; boundary=x\n\n--x\n\nSubject: "
			"s\n\nin\n--x--\n",
			"2 text/plain [in]\n"},
		{"message in base64",
			"Content-Type: message/rfc822\nContent-Transfer-Encoding: "
			"base64\n\nU3ViamVjdDogcwoKaW4K\n",
			"1 text/plain [in\n]\n"},
		{"no boundary told", "Content-Type: multipart/mixed\n\n--x\n\none\n",
			"0 multipart/mixed [--x\n\none\n]\n"},
		{"boundary in a head",
			"Content-Type: multipart/mixed; boundary=x\n\n--x\nA: "
			"1\n--x\n\ntwo\n--x--\n",
			"1 text/plain []\n1 text/plain [two]\n"},
		{"message without a head before a boundary",
			"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: "
			"message/rfc822\n--x--\n",
			"2 text/plain []\n"},
		{"base64", "Content-Transfer-Encoding: BASE64\n\naGVs\nbG8=\n",
			"0 text/plain [hello]\n"},
		{"base64, twice", "Content-Transfer-Encoding: base64\n\naGk=aGk=\n",
			"0 text/plain [hihi]\n"},
		{"quoted-printable",
			"Content-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; "
			"charset=iso-8859-1\n\na=FC=\n b  \nc=3D=zz=\n",
			"0 text/plain [aü b\nc==zz]\n"},
		{"uuencode",
			"Content-Transfer-Encoding: x-uuencode\n\nbegin 644 f\n#:&D*\n`\nend\n",
			"0 text/plain [hi\n]\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice mail = exact(cases[i].mail, strlen(cases[i].mail));
		struct buf got = BUF_INIT(10000);

		leaves(mail, &got);
		if (strcmp(buf_str(&got), cases[i].want) != 0)
			fail_msg("%s: got\n%s", cases[i].label, buf_str(&got));
		buf_done(&got);
		exact_free(mail);
	}
}

static void test_in_message(void **state)
{
	struct slice mail =
		SLICE("Content-Type: multipart/mixed; boundary=x\n\n--x\n\na\n--x\nContent-Type: "
		      "message/rfc822\n\n\nb\n--x--\n");
	struct arena *a = arena_new(MIME_ARENA_SIZE);
	struct mime_tree t;

	assert_true(mime_parse(mail, a, &t));
	assert_int_equal(t.count, 4);
	assert_false(t.parts[1].in_message);
	assert_false(t.parts[2].in_message);
	assert_true(t.parts[3].in_message);
	assert_true(slice_eq(t.parts[2].body, SLICE("\nb")));
	assert_false(t.cut);
	arena_free(a);
}

/* The part that held an encoded message keeps its own bytes. */
static void test_encoded_message_keeps_its_body(void **state)
{
	struct slice mail = SLICE("Content-Type: message/rfc822\nContent-Transfer-Encoding: "
				  "base64\n\nU3ViamVjdDogcwoKaW4K\n");
	struct arena *a = arena_new(MIME_ARENA_SIZE);
	struct mime_tree t;

	assert_true(mime_parse(mail, a, &t));
	assert_int_equal(t.count, 2);
	assert_false(t.parts[0].is_leaf);
	assert_true(slice_eq(t.parts[0].body, SLICE("U3ViamVjdDogcwoKaW4K\n")));
	assert_true(slice_eq(t.parts[1].body, SLICE("in\n")));
	arena_free(a);
}

static void test_deep(void **state)
{
	struct buf b = BUF_INIT((size_t)2 << 20);
	struct arena *a = arena_new(MIME_ARENA_SIZE);
	struct mime_tree t;
	clock_t start = clock();

	for (int i = 0; i < 20000; i++)
		buf_addf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i);
	assert_true(mime_parse(buf_slice(&b), a, &t));
	assert_true(t.cut);
	assert_int_equal(t.count, MIME_MAX_DEPTH + 1);
	buf_reset(&b);
	for (int i = 0; i < 40000; i++)
		buf_add_str(&b, "Content-Type: message/rfc822\n\n");
	arena_reset(a);
	assert_true(mime_parse(buf_slice(&b), a, &t));
	assert_true(t.cut);
	buf_reset(&b);
	buf_add_str(&b, "Content-Type: multipart/mixed; boundary=x\n\n");
	for (int i = 0; i < 300000; i++)
		buf_add_str(&b, "--x\n\n");
	arena_reset(a);
	assert_true(mime_parse(buf_slice(&b), a, &t));
	assert_true(t.cut);
	assert_int_equal(t.count, MIME_MAX_PARTS);
	assert_true((clock() - start) / CLOCKS_PER_SEC < 1);
	buf_done(&b);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trees),
		cmocka_unit_test(test_in_message),
		cmocka_unit_test(test_encoded_message_keeps_its_body),
		cmocka_unit_test(test_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
