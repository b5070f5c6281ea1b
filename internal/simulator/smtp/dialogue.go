package smtp

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// dialogue is one connection. It belongs to one goroutine.
type dialogue struct {
	s       *Server
	conn    net.Conn
	in      *bufio.Reader
	greeted bool
	secure  bool
	from    *string // nil: no MAIL yet
	to      []string
}

func newDialogue(s *Server, conn net.Conn) *dialogue {
	return &dialogue{s: s, conn: conn, in: bufio.NewReaderSize(conn, maxLine)}
}

var errQuit = errors.New("quit")

func (d *dialogue) run() {
	if d.say("220 sink.invalid ESMTP mail sink") != nil {
		return
	}
	for {
		line, err := d.line()
		if errors.Is(err, errLong) {
			_ = d.say("500 5.5.2 line too long")
			return
		}
		if err != nil || d.command(line) != nil {
			return
		}
	}
}

// line reads up to CRLF; a longer one than maxLine ends the dialogue.
func (d *dialogue) line() (string, error) {
	if err := d.conn.SetDeadline(time.Now().Add(idle)); err != nil {
		return "", err
	}
	raw, err := d.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return "", errLong
	}
	return strings.TrimRight(string(raw), "\r\n"), err
}

func (d *dialogue) say(lines ...string) error {
	if ms := d.s.present().Delay; ms > 0 {
		time.Sleep(time.Duration(ms) * time.Millisecond) // a slow server is what the fault asks for
	}
	if err := d.conn.SetDeadline(time.Now().Add(idle)); err != nil {
		return err
	}
	_, err := io.WriteString(d.conn, strings.Join(lines, "\r\n")+"\r\n")
	return err
}

func (d *dialogue) command(line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO":
		return d.hello(true)
	case "HELO":
		return d.hello(false)
	case "STARTTLS":
		return d.startTLS()
	case "AUTH":
		return d.auth(rest)
	case "MAIL":
		return d.mail(rest)
	case "RCPT":
		return d.rcpt(rest)
	case "DATA":
		return d.data()
	case "RSET":
		d.reset()
		return d.say("250 2.0.0 forgotten")
	case "NOOP":
		return d.say("250 2.0.0 yes")
	case "VRFY":
		return d.say("252 2.1.5 try it")
	case "QUIT":
		return errors.Join(d.say("221 2.0.0 bye"), errQuit)
	}
	return d.say("500 5.5.1 unknown command")
}

func (d *dialogue) reset() { d.from, d.to = nil, nil }

func (d *dialogue) hello(extended bool) error {
	d.greeted = true
	d.reset()
	if !extended {
		return d.say("250 sink.invalid")
	}
	lines := []string{"250-sink.invalid", fmt.Sprintf("250-SIZE %d", MaxMessage), "250-8BITMIME", "250-SMTPUTF8", "250-ENHANCEDSTATUSCODES"}
	if d.s.tls != nil && !d.secure {
		lines = append(lines, "250-STARTTLS")
	}
	if d.secure {
		lines = append(lines, "250-AUTH PLAIN")
	}
	return d.say(append(lines, "250 PIPELINING")...)
}

// startTLS refuses what was sent before the handshake: bytes that wait in the
// buffer came in clear.
func (d *dialogue) startTLS() error {
	if d.s.tls == nil || d.secure {
		return d.say("502 5.5.1 no TLS here")
	}
	if d.in.Buffered() > 0 {
		return errors.Join(d.say("503 5.5.1 nothing may follow STARTTLS"), errQuit)
	}
	if err := d.say("220 2.0.0 go ahead"); err != nil {
		return err
	}
	secure := tls.Server(d.conn, d.s.tls)
	if err := secure.Handshake(); err != nil {
		return err
	}
	d.conn, d.in = secure, bufio.NewReaderSize(secure, maxLine)
	d.secure, d.greeted = true, false
	d.reset()
	return nil
}

// auth takes any name and password, but only over TLS.
func (d *dialogue) auth(rest string) error {
	mechanism, initial, _ := strings.Cut(rest, " ")
	if !d.secure || !strings.EqualFold(mechanism, "PLAIN") {
		return d.say("504 5.5.4 not offered")
	}
	if initial == "" {
		if err := d.say("334 "); err != nil {
			return err
		}
		if _, err := d.line(); err != nil {
			return err
		}
	}
	return d.say("235 2.7.0 welcome")
}

// path reads <address> and the parameters behind it.
func path(rest, keyword string) (address string, params []string, ok bool) {
	if len(rest) < len(keyword) || !strings.EqualFold(rest[:len(keyword)], keyword) {
		return "", nil, false
	}
	rest = strings.TrimSpace(rest[len(keyword):])
	end := strings.IndexByte(rest, '>')
	if !strings.HasPrefix(rest, "<") || end < 0 || end > 320 {
		return "", nil, false
	}
	return rest[1:end], strings.Fields(rest[end+1:]), true
}

func (d *dialogue) mail(rest string) error {
	from, params, ok := path(rest, "FROM:")
	switch {
	case !d.greeted:
		return d.say("503 5.5.1 say EHLO first")
	case d.from != nil:
		return d.say("503 5.5.1 one mail at a time")
	case !ok:
		return d.say("501 5.5.4 MAIL FROM:<address>")
	}
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		size, err := strconv.Atoi(value)
		if strings.EqualFold(name, "SIZE") && (err != nil || size > MaxMessage) {
			return d.say("552 5.3.4 too large")
		}
	}
	d.from = &from
	return d.say("250 2.1.0 ok")
}

func (d *dialogue) rcpt(rest string) error {
	to, _, ok := path(rest, "TO:")
	switch {
	case d.from == nil:
		return d.say("503 5.5.1 say MAIL first")
	case !ok || to == "":
		return d.say("501 5.5.4 RCPT TO:<address>")
	case len(d.to) >= MaxRecipients:
		return d.say("452 4.5.3 too many recipients")
	}
	if f := d.s.present(); f.Rcpt != "" {
		d.s.spend()
		return d.say(f.Rcpt)
	}
	d.to = append(d.to, to)
	return d.say("250 2.1.5 ok")
}

func (d *dialogue) data() error {
	if d.from == nil || len(d.to) == 0 {
		return d.say("503 5.5.1 say MAIL and RCPT first")
	}
	if err := d.say("354 end with a dot"); err != nil {
		return err
	}
	text, err := d.body()
	if err != nil && !errors.Is(err, errLarge) {
		return err
	}
	from, to := *d.from, d.to
	d.reset()
	if err != nil {
		return d.say("552 5.3.4 too large")
	}
	f := d.s.present()
	d.s.spend()
	if f.Reply != "" {
		return d.say(f.Reply)
	}
	d.s.keep(Message{From: from, To: to, TLS: d.secure, At: time.Now().UTC(), Data: text})
	if f.Drop {
		return errQuit
	}
	return d.say("250 2.0.0 kept")
}

var errLarge = errors.New("message too large")

// body reads to the line with a single dot and takes the stuffing dots away. A
// message that is too large is read to its end and not kept.
func (d *dialogue) body() (string, error) {
	var b bytes.Buffer
	large, begin := false, true
	for {
		if err := d.conn.SetDeadline(time.Now().Add(idle)); err != nil {
			return "", err
		}
		raw, err := d.in.ReadSlice('\n')
		whole := err == nil
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return "", err
		}
		if begin && whole && string(raw) == ".\r\n" {
			break
		}
		if begin && raw[0] == '.' {
			raw = raw[1:]
		}
		begin = whole
		if large = large || b.Len()+len(raw) > MaxMessage; !large {
			b.Write(raw)
		}
	}
	if large {
		return "", errLarge
	}
	return b.String(), nil
}
