"""What of a raw mail a classifier may see."""

from inference.training.mail import html_text, mail_text


def test_keeps_subject_and_body_and_no_other_header() -> None:
    raw = "Received: from evil.example\nX-Spam-Status: Yes\nSubject: Hello\n\nHow are you?\n"
    assert mail_text(raw) == "Hello\n\nHow are you?"


def test_decodes_an_encoded_subject_and_a_base64_body_in_its_charset() -> None:
    raw = (
        "Subject: =?iso-8859-1?q?Gr=FC=DFe?=\nContent-Type: text/plain; charset=iso-8859-1\n"
        "Content-Transfer-Encoding: base64\n\nR3L832U=\n"
    )
    assert mail_text(raw) == "Grüße\n\nGrüße"


def test_prefers_the_plain_part_of_a_mail_that_has_both() -> None:
    raw = (
        'Subject: Both\nContent-Type: multipart/alternative; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nplain words\n"
        "--b\nContent-Type: text/html\n\n<b>marked words</b>\n--b--\n"
    )
    assert mail_text(raw) == "Both\n\nplain words"


def test_strips_the_markup_of_a_mail_that_has_only_html() -> None:
    raw = "Subject: Html\nContent-Type: text/html\n\n<html><style>p {}</style><p>Caf&eacute;<script>x()</script></p>"
    assert mail_text(raw) == "Html\n\nCafé"


def test_leaves_attachments_out() -> None:
    raw = (
        'Subject: File\nContent-Type: multipart/mixed; boundary="b"\n\n--b\n\nbody\n'
        '--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename="secret.txt"\n\nattached\n--b--\n'
    )
    assert mail_text(raw) == "File\n\nbody"


def test_survives_a_charset_and_an_encoding_that_do_not_exist() -> None:
    raw = (
        "Subject: =?no-such-charset?q?caf=E9?=\nContent-Type: text/plain; charset=no-such-charset\n"
        "Content-Transfer-Encoding: quoted-printable\n\ncaf=E9\n"
    )
    assert mail_text(raw) == "café\n\ncafé"


def test_text_of_markup_keeps_words_apart_and_drops_comments() -> None:
    assert html_text("one<br>two<!-- three -->&amp; <title>four</title>five").split() == ["one", "two&", "five"]
