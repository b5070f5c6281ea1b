package smtp

import (
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
)

// decode shows a mail as its reader would see it. What cannot be read is left
// empty: the sink takes everything.
func decode(data string) (title, text, html string) {
	m, err := mail.ReadMessage(strings.NewReader(data))
	if err != nil {
		return "", "", ""
	}
	title, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		title = ""
	}
	parts(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body, 0, func(kind, body string) {
		switch {
		case kind == "text/plain" && text == "":
			text = body
		case kind == "text/html" && html == "":
			html = body
		}
	})
	return title, text, html
}

// parts calls found for each leaf, at most four levels deep.
func parts(contentType, encoding string, body io.Reader, depth int, found func(kind, body string)) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind = "text/plain"
	}
	if !strings.HasPrefix(kind, "multipart/") {
		switch strings.ToLower(encoding) {
		case "quoted-printable":
			body = quotedprintable.NewReader(body)
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, body)
		}
		raw, err := io.ReadAll(io.LimitReader(body, MaxMessage))
		if err == nil {
			found(kind, strings.ReplaceAll(string(raw), "\r\n", "\n"))
		}
		return
	}
	if depth == 4 {
		return
	}
	r := multipart.NewReader(body, params["boundary"])
	for range 20 {
		p, err := r.NextRawPart()
		if err != nil {
			return
		}
		parts(p.Header.Get("Content-Type"), p.Header.Get("Content-Transfer-Encoding"), p, depth+1, found)
	}
}
