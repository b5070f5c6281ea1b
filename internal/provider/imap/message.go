package imap

import (
	"bytes"
	"encoding/base64"
	"html"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"

	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
)

// Bounds of one mail.
const (
	maxText        = 64 << 10 // bytes of text that is looked at
	maxParts       = 50
	maxDepth       = 5
	maxAttachments = 20
	maxHeader      = 998 // RFC 5322, 2.1.1
	maxReferences  = 50
)

// Parse reads a mail (RFC 5322, MIME) that anybody may have made. It never fails:
// of what cannot be read the mail says nothing, and somebody looks into the
// mailbox. All text is valid UTF-8 without control characters.
func Parse(raw []byte) privacy.Mail {
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		// No header that can be read: the bytes are all there is of it.
		return privacy.Mail{Text: clean(string(raw[:min(len(raw), maxText)])), Cut: true}
	}
	h := msg.Header
	m := privacy.Mail{
		ID: one(messageIDs(h.Get("Message-Id"))), From: address(h), Subject: oneLine(decoded(h.Get("Subject"))), Auto: auto(h),
	}
	refs := append(messageIDs(h.Get("References")), messageIDs(h.Get("In-Reply-To"))...)
	m.References = refs[max(0, len(refs)-maxReferences):]
	w := walk{}
	w.part(textproto.MIMEHeader(h), msg.Body, 0)
	m.Text, m.Attachments, m.Cut = w.text(), w.attachments, w.cut
	return m
}

func one(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

var messageID = regexp.MustCompile(`<([^<>\s]{1,250})>`)

func messageIDs(header string) (all []string) {
	for _, found := range messageID.FindAllStringSubmatch(header, 200) {
		all = append(all, clean(found[1]))
	}
	return all
}

// address is where an answer goes: Reply-To, which people set on purpose, is not
// looked at, because a case is of who wrote it.
func address(h mail.Header) string {
	all, err := (&mail.AddressParser{WordDecoder: words}).ParseList(h.Get("From"))
	if err != nil || len(all) != 1 || len(all[0].Address) > 254 || strings.ContainsFunc(all[0].Address, unicode.IsControl) {
		return ""
	}
	return all[0].Address
}

// auto tells what a program made (RFC 3834, RFC 3464; RFC 2076 for Precedence).
func auto(h mail.Header) privacy.Auto {
	submitted := word(h.Get("Auto-Submitted"))
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	from := strings.ToLower(address(h))
	switch {
	case submitted == "auto-replied", kind == "multipart/report", strings.TrimSpace(h.Get("Return-Path")) == "<>",
		strings.HasPrefix(from, "mailer-daemon@"), strings.HasPrefix(from, "postmaster@"), h.Get("X-Autoreply") != "", h.Get("X-Autorespond") != "",
		word(h.Get("Precedence")) == "auto_reply":
		return privacy.Response
	case submitted != "" && submitted != "no", h.Get("List-Id") != "", h.Get("X-Auto-Response-Suppress") != "",
		word(h.Get("Precedence")) == "bulk", word(h.Get("Precedence")) == "junk", word(h.Get("Precedence")) == "list":
		return privacy.Machine
	}
	return privacy.ByHand
}

func word(s string) string {
	s, _, _ = strings.Cut(s, ";")
	return strings.ToLower(strings.TrimSpace(s))
}

// words decodes headers in any character set that browsers know.
var words = &mime.WordDecoder{CharsetReader: func(charset string, in io.Reader) (io.Reader, error) {
	enc, err := htmlindex.Get(charset)
	if err != nil {
		return in, nil // the bytes as they are; clean makes them text
	}
	return enc.NewDecoder().Reader(in), nil
}}

func decoded(header string) string {
	if s, err := words.DecodeHeader(header); err == nil {
		return s
	}
	return header
}

func oneLine(s string) string {
	s = strings.Join(strings.Fields(clean(s)), " ")
	return s[:cutAt(s, maxHeader)]
}

// clean makes text of anything.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "�")
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}

func cutAt(s string, most int) int {
	n := min(len(s), most)
	for n > 0 && n < len(s) && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}

// walk gathers the text of a mail's parts.
type walk struct {
	plain, fallback strings.Builder
	attachments     []string
	parts           int
	cut             bool
}

func (w *walk) text() string {
	if t := strings.TrimSpace(w.plain.String()); t != "" {
		return t
	}
	return strings.TrimSpace(w.fallback.String())
}

func (w *walk) part(h textproto.MIMEHeader, body io.Reader, depth int) {
	if w.parts++; w.parts > maxParts || depth > maxDepth {
		w.cut = true
		return
	}
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil && kind == "" {
		kind = "text/plain"
	}
	placed, names, _ := mime.ParseMediaType(h.Get("Content-Disposition"))
	switch {
	case strings.HasPrefix(kind, "multipart/"):
		w.multi(body, params["boundary"], depth)
	case placed == "attachment" || !strings.HasPrefix(kind, "text/"):
		w.attach(decoded(names["filename"]), decoded(params["name"]), kind)
	case kind == "text/html":
		w.add(&w.fallback, plainOf(w.read(h, body, params["charset"])))
	default:
		w.add(&w.plain, w.read(h, body, params["charset"]))
	}
}

func (w *walk) multi(body io.Reader, boundary string, depth int) {
	if boundary == "" {
		w.add(&w.fallback, w.read(nil, body, ""))
		return
	}
	r := multipart.NewReader(body, boundary)
	for w.parts <= maxParts {
		p, err := r.NextRawPart()
		if err != nil {
			w.cut = w.cut || err != io.EOF
			return
		}
		w.part(p.Header, p, depth+1)
	}
	w.cut = true
}

func (w *walk) attach(names ...string) {
	if len(w.attachments) == maxAttachments {
		w.cut = true
		return
	}
	for _, n := range names {
		if n = oneLine(n); n != "" {
			w.attachments = append(w.attachments, n[:cutAt(n, 200)])
			return
		}
	}
}

// read decodes a part; what does not decode is taken as far as it does.
func (w *walk) read(h textproto.MIMEHeader, body io.Reader, charset string) string {
	switch word(h.Get("Content-Transfer-Encoding")) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	raw, err := io.ReadAll(io.LimitReader(body, maxText+1))
	w.cut = w.cut || err != nil
	if len(raw) > maxText {
		raw, w.cut = raw[:maxText], true
	}
	if enc, err := htmlindex.Get(charset); err == nil && !strings.EqualFold(charset, "utf-8") {
		if text, err := enc.NewDecoder().Bytes(raw); err == nil {
			raw = text
		}
	}
	return clean(string(raw))
}

func (w *walk) add(to *strings.Builder, text string) {
	left := maxText - to.Len()
	if n := cutAt(text, max(0, left-1)); n < len(text) {
		text, w.cut = text[:n], true
	}
	to.WriteString(text + "\n")
}

var (
	unseen = regexp.MustCompile(`(?is)<(script|style|head)\b.*?(</(script|style|head)\s*>|$)`)
	breaks = regexp.MustCompile(`(?i)<(br|/p|/div|/tr|/li|/h[1-6])\b[^>]*>`)
	tags   = regexp.MustCompile(`(?s)<[^>]*>`)
)

// plainOf is the text of HTML, for people to read; it is never shown as HTML.
func plainOf(s string) string {
	s = unseen.ReplaceAllString(s, "")
	s = breaks.ReplaceAllString(s, "\n")
	return clean(html.UnescapeString(tags.ReplaceAllString(s, "")))
}
