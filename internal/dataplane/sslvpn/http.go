package sslvpn

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/netio"
	"github.com/skybridge-cloud/skybridge/internal/protocol/openconnect"
)

// Limits of the HTTP part (spec OpenConnect, section 4.2).
const (
	maxRequests  = 16 // of one connection
	maxHead      = 16 << 10
	requestLimit = 2 * time.Minute  // to wait for a request: a person types
	sendLimit    = 15 * time.Second // from its first byte to its last: a program sends
)

// httpConn is a connection until CONNECT.
type httpConn struct {
	svc  *Service
	srv  *server
	conn *netio.Conn
	tls  *netio.TLS
	from netip.AddrPort
	in   *bufio.Reader
	back unread      // what in reads from
	own  allowance   // for the present request
	head http.Header // of the present request

	attached func()  // called once the connection has a session
	tunnel   *stream // what it became
	fruitful bool    // it brought a login or a tunnel
	about    string  // SSL client that control's last answer was about
	// blameless says that it came to nothing for reasons of ours.
	blameless bool
	failure   string // why the present round of a login fails
	door      string // group whose URL the present request is for
}

var errRequest = errors.New("malformed or oversized request")

// serve answers requests until the connection ends or becomes a tunnel.
func (h *httpConn) serve() {
	h.readFrom(h.tls)
	for range maxRequests {
		_ = h.conn.SetDeadline(time.Now().Add(requestLimit))
		if _, err := h.in.Peek(1); err != nil {
			return
		}
		_ = h.conn.SetDeadline(time.Now().Add(sendLimit))
		r, body, err := h.readRequest()
		if err != nil {
			h.excuse(err)
			return
		}
		_ = h.conn.SetDeadline(time.Now().Add(requestLimit))
		if h.srv = h.svc.serverOf(h.srv.spec.ID); h.srv == nil { // as it is now, not as it was at the handshake
			return
		}
		if r.Method == http.MethodConnect {
			h.connect(r)
			return
		}
		h.head = r.Header
		a := h.answer(r, body)
		a.aggregate = r.Header.Get("X-Aggregate-Auth") == "1"
		h.head = nil
		h.own.release()
		if h.write(a) != nil || a.close || r.Close {
			return
		}
	}
}

// excuse answers a request that was not read, if its peer may still listen.
func (h *httpConn) excuse(err error) {
	switch {
	case errors.Is(err, errRequest):
		_ = h.write(answer{status: 400, close: true})
	case errors.Is(err, errMemory):
		_ = h.write(h.ours(unavailable))
	}
}

// unread is a reader with bytes in front of it that were read before.
type unread struct {
	first []byte
	rest  io.Reader
}

// Read implements io.Reader.
func (u *unread) Read(p []byte) (int, error) {
	if len(u.first) == 0 {
		u.first = nil
		return u.rest.Read(p)
	}
	n := copy(p, u.first)
	u.first = u.first[n:]
	return n, nil
}

// readFrom makes r what requests come from.
func (h *httpConn) readFrom(r io.Reader) {
	h.back.rest = r
	h.in = bufio.NewReaderSize(&h.back, 4096)
}

// putBack makes b what is read next.
func (h *httpConn) putBack(b []byte) {
	held, _ := h.in.Peek(h.in.Buffered()) // all that there is: no error
	h.back.first = slices.Concat(b, held, h.back.first)
	h.in.Reset(&h.back)
}

// more tells whether something behind the last request was read already.
func (h *httpConn) more() bool { return h.in.Buffered()+len(h.back.first) > 0 }

// readRequest reads one request and its body. The head is bounded and looked
// at before net/http reads it, since that forgets a Content-Length beside a
// Transfer-Encoding.
func (h *httpConn) readRequest() (*http.Request, []byte, error) {
	head, err := h.readHead()
	if err != nil {
		return nil, nil, err
	}
	h.putBack(head)
	r, err := http.ReadRequest(h.in) // and no reader of its own, which would keep what is behind the body
	if err != nil || (r.Header.Get("Content-Length") != "" && r.TransferEncoding != nil) || r.ContentLength > openconnect.MaxDocument {
		return nil, nil, errRequest
	}
	if r.Method == http.MethodConnect {
		return r, nil, nil
	}
	body, err := h.readBody(r.Body, len(head))
	return r, body, err
}

// readBody reads a body behind a head, for which its connection has memory as
// it comes: a length that is only claimed holds nothing.
func (h *httpConn) readBody(from io.Reader, head int) ([]byte, error) {
	body := make([]byte, 0, 1<<10)
	for {
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case len(body) > openconnect.MaxDocument:
			return nil, errRequest
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, errRequest
		case len(body) < cap(body):
			continue
		}
		wider := min(2*cap(body), openconnect.MaxDocument+1)
		if err := h.own.need(2*head + wider); err != nil {
			return nil, err
		}
		body = append(make([]byte, 0, wider), body...)
	}
}

// readHead reads up to and including the empty line.
func (h *httpConn) readHead() ([]byte, error) {
	var head []byte
	length, coding := false, false
	for {
		line, err := h.in.ReadSlice('\n')
		head = append(head, line...)
		if len(head) > maxHead {
			return nil, errRequest
		}
		if short := h.own.need(2 * len(head)); short != nil { // net/http makes strings of it
			return nil, short
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue // the rest of a long line follows
		}
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimRight(line, "\r\n")) == 0 && len(head) > 2 {
			break
		}
		name, _, _ := strings.Cut(string(line), ":")
		length = length || strings.EqualFold(name, "Content-Length")
		coding = coding || strings.EqualFold(name, "Transfer-Encoding")
	}
	if length && coding {
		return nil, errRequest
	}
	return head, nil
}

// answer is a response before CONNECT.
type answer struct {
	status      int
	contentType string
	body        []byte
	cookies     []string // values of Set-Cookie
	reason      string   // X-Reason
	extension   string   // X-Skybridge-Ext
	close       bool
	head        bool // to HEAD: no body follows
	aggregate   bool // to a client that posts XML, which is told the same
}

func (h *httpConn) write(a answer) error {
	var b bytes.Buffer
	line := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(p)
		}
		b.WriteString("\r\n")
	}
	line("HTTP/1.1 ", strconv.Itoa(a.status), " ", http.StatusText(a.status))
	for _, c := range a.cookies {
		line("Set-Cookie: ", c)
	}
	if a.contentType != "" {
		line("Content-Type: ", a.contentType)
	}
	if a.reason != "" {
		line("X-Reason: ", headerText(a.reason))
	}
	if a.extension != "" {
		line("X-Skybridge-Ext: ", a.extension)
	}
	line("Date: ", h.svc.cfg.Clock.Now().UTC().Format(http.TimeFormat)) // RFC 9110 section 6.6.1; a client's doctor compares its clock
	line("X-Transcend-Version: 1")
	if a.aggregate {
		line("X-Aggregate-Auth: 1")
	}
	line("Cache-Control: no-store")
	line("Content-Length: ", strconv.Itoa(len(a.body)))
	if a.close {
		line("Connection: close")
	}
	line()
	if !a.head {
		b.Write(a.body)
	}
	_, err := h.tls.Write(b.Bytes())
	return err
}

// headerText makes text fit into one header line.
func headerText(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s))
}

func (h *httpConn) answer(r *http.Request, body []byte) answer {
	switch r.Method {
	case http.MethodPost:
		return h.post(r, body)
	case http.MethodGet:
		return h.get(r)
	case http.MethodHead:
		a := h.get(r)
		a.head = true
		return a
	}
	return answer{status: 404, close: true}
}

func (h *httpConn) post(r *http.Request, body []byte) answer {
	if foreign(r) {
		return answer{status: 403, close: true}
	}
	d, err := openconnect.ParseDocument(r.Header.Get("Content-Type"), body)
	if err != nil {
		return answer{status: 400, close: true}
	}
	d.GroupSelect = h.groupOf(openconnect.CleanPath(r.URL.Path), d)
	if !h.meant(r, d) {
		return h.look(d.GroupSelect)
	}
	switch d.Type {
	case openconnect.TypeInit:
		return h.begin(d)
	case openconnect.TypeAuthReply:
		return h.reply(d, openconnect.Cookie(r.Header, contextCookie))
	}
	return h.logout(r, d)
}
