"""HTML to text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.social.mastodon import plain
from tests.integrations.social.mastodon.wire import html

LINK = (
    '<a href="https://shop.example/helmets?size=m&amp;colour=red" target="_blank" rel="nofollow noopener" translate="no">'
    '<span class="invisible">https://</span><span class="ellipsis">shop.example/helmets?size=m</span>'
    '<span class="invisible">&amp;colour=red</span></a>'
)
MENTION = '<span class="h-card" translate="no"><a href="https://b.example/@bea" class="u-url mention">@<span>bea</span></a></span>'
TAG = '<a href="https://b.example/tags/hiking" class="mention hashtag" rel="tag">#<span>hiking</span></a>'
NOTE = (
    '<div class="gts-system-message gts-pending-reply"><hr><p><i lang="en">Note from b.example: This reply is pending your approval: '
    '<a href="https://b.example/settings/1">https://b.example/settings/1</a>.</i></p></div>'
)
QUOTE = '<p class="quote-inline">RE: <a href="https://b.example/@bea/1">https://b.example/@bea/1</a></p>'


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("", ""),
        ("<p>Is it in stock?</p>", "Is it in stock?"),
        ("no markup at all", "no markup at all"),
        ("<p>one</p><p>two<br>three<br />four</p>", "one\n\ntwo\nthree\nfour"),
        ("<p>a &lt;b&gt; &amp;amp; c&#39;d</p>", "a <b> &amp; c'd"),
        ("<p>1 < 2 and 3 > 2</p>", "1 < 2 and 3 > 2"),
        ("<p>raw\n  break</p>\n<p>next</p>\n", "raw break\n\nnext"),
        ("<pre><code>a\n  b</code></pre><p>c\nd</p>", "a\n  b\n\nc d"),
        ("<ul><li>one</li><li>two</li></ul><p>end</p>", "- one\n- two\n\nend"),
        ("<blockquote><p>said</p></blockquote>yes", "said\n\nyes"),
        (f"<p>see {LINK} now</p>", "see https://shop.example/helmets?size=m&colour=red now"),
        ('<p><a href="https://a.example/">https://a.example</a></p>', "https://a.example/"),
        ('<p><a href="https://a.example/long/path">a.example/lo…</a></p>', "https://a.example/long/path"),
        ('<p><a href="https://a.example/x">the manual</a>!</p>', "the manual (https://a.example/x)!"),
        ('<p><a href="https://a.example/x"></a></p>', "https://a.example/x"),
        ('<p>mail <a href="mailto:ada@home.example">ada@home.example</a></p>', "mail ada@home.example"),
        ('<p><a href="mailto:ada@home.example">write</a></p>', "write (mailto:ada@home.example)"),
        (
            '<p><a href="https://gr%C3%B6%C3%9Fe.example/%C3%BC?a=1&amp;b=%C3%A4">https://größe.example/ü?a=1&amp;b=ä</a></p>',
            "https://größe.example/ü?a=1&b=ä",
        ),
        ("<p>1 &lt; 2 & 3 > 2, &lt;b></p>", "1 < 2 & 3 > 2, <b>"),
        ('<p><a href="javascript:alert(1)">click</a></p>', "click"),
        ("<p><a>bare</a></p>", "bare"),
        ("<p><a href='https://a.example/x'>single</a></p>", "single (https://a.example/x)"),
        ('<p>left <a href="https://a.example/x">open</p><p>next</p>', "left open\n\nnext (https://a.example/x)"),
        (f"<p>{MENTION} hello</p>", "@bea@b.example hello"),
        ('<p>@<a href="https://b.example/u/bea" class="mention">bea</a></p>', "@bea@b.example"),
        ('<p><a class="mention" href="https://b.example/u/bea">@bea@c.example</a></p>', "@bea@c.example"),
        ('<p><a class="mention" href="http://[b">@bea</a></p>', "@bea"),
        (f"<p>love {TAG}</p>", "love #hiking"),
        (f"{QUOTE}<p>so true</p>", "RE: https://b.example/@bea/1\n\nso true"),
        ('<p>smile <img class="emoji" alt=":blob:" src="x"> :cat:</p>', "smile :blob: :cat:"),
        ("<p>a<script>alert(1)</script>b<style>p{}</style></p>", "ab"),
        ("<p>a<!-- note -->b</p>", "ab"),
        (f"<p>how much?</p>{NOTE}", "how much?"),
        (f"<div>in one</div>{NOTE}<p>end</p>", "in one\n\nend"),
        ('<p title="a > b">c</p>', "c"),
        ("<p>never <closed", "never <closed"),
        ("<p>a\x00b \ud83d</p>", "ab ?"),
        ("<p>ends with a break<br></p>", "ends with a break"),
    ],
)
def test_markup_becomes_what_a_person_reads(markup: str, text: str) -> None:
    assert plain.text(markup) == text


def test_a_mention_gets_its_whole_handle_from_the_post() -> None:
    assert plain.text(f"<p>{MENTION}</p>", {"https://b.example/@bea": "bea@home.example"}) == "@bea@home.example"


@pytest.mark.parametrize(
    "quote",
    [
        QUOTE,
        '<span class="quote-inline"><br/><br/>RE: <span>a</span> <a href="https://b.example/1">https://b.example/1</a></span>',
    ],
)
def test_the_stand_in_of_a_quote_is_left_out_where_the_quote_is_known(quote: str) -> None:
    assert plain.text(f"<p>so true</p>{quote}<p>end</p>", quoted=True) == "so true\n\nend"


@pytest.mark.parametrize(
    ("markup", "link"),
    [
        ('<a href="https://me.example" rel="me">me.example</a>', "https://me.example"),
        ('<a href="mailto:a@b.example">mail</a> <a href="http://b.example">b</a>', "http://b.example"),
        ("https://plain.example", "https://plain.example"),
        ("https://plain.example and more", ""),
        ("Vienna", ""),
        ("", ""),
    ],
)
def test_the_first_link_of_a_field_is_found(markup: str, link: str) -> None:
    assert plain.first_link(markup) == link


@given(st.text(alphabet=st.characters(exclude_characters="\r\x00", exclude_categories=("Cs",)), max_size=200))
def test_what_a_server_marks_up_reads_as_it_was_written(text: str) -> None:
    written = "\n\n".join(part.strip("\n") for part in text.split("\n\n"))
    if "\n\n\n" in written or any(line != line.strip() for line in written.split("\n")):
        return  # blanks at the ends of lines are nobody's words
    assert plain.text(html(written)) == written.strip()


@given(st.text(alphabet="<>/apbr \"'=!-&;#x@\n", max_size=120))
def test_no_markup_is_too_odd(markup: str) -> None:
    assert isinstance(plain.text(markup, quoted=True), str)


@pytest.mark.parametrize("part", ["<a ", "<a '\"", "<!--", "<p>", "</p>", "&amp", '<a href="', "<", "\n "])
def test_hostile_markup_takes_no_longer_than_its_length(part: str) -> None:
    # Quadratic work over this much would not end while anybody waits for the test.
    assert isinstance(plain.text(part * (plain.LONGEST // len(part) + 10)), str)
