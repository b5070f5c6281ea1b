package smtp

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// serve starts a sink and returns a dialogue with it.
func serve(t *testing.T, s *Server) func() *talk {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return func() *talk {
		conn, err := net.DialTimeout("tcp", l.Addr().String(), 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		k := &talk{t: t, conn: conn, in: bufio.NewReader(conn)}
		k.expect("220")
		return k
	}
}

type talk struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func (k *talk) send(line string) {
	k.t.Helper()
	if _, err := fmt.Fprintf(k.conn, "%s\r\n", line); err != nil {
		k.t.Fatal(err)
	}
}

func (k *talk) expect(code string) {
	k.t.Helper()
	for {
		if err := k.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			k.t.Fatal(err)
		}
		line, err := k.in.ReadString('\n')
		if err != nil || len(line) < 4 {
			k.t.Fatalf("got %q, %v, want %s", line, err, code)
		}
		if line[3] == '-' {
			continue
		}
		if !strings.HasPrefix(line, code) {
			k.t.Errorf("got %q, want %s", strings.TrimSpace(line), code)
		}
		return
	}
}

func (k *talk) ask(line, code string) {
	k.t.Helper()
	k.send(line)
	k.expect(code)
}

func (k *talk) mail(body string) {
	k.t.Helper()
	k.ask("EHLO client", "250")
	k.ask("MAIL FROM:<a@example.org>", "250")
	k.ask("RCPT TO:<b@example.org>", "250")
	k.ask("DATA", "354")
	k.send(body + "\r\n.")
}

func TestAMailIsKeptAsItWasMeant(t *testing.T) {
	t.Parallel()
	s := New(nil)
	k := serve(t, s)()
	k.mail("Subject: =?utf-8?q?=E4=BD=A0=E5=A5=BD?=\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
		"one=3Dtwo\r\n..stuffed\r\n...")
	k.expect("250")
	k.ask("QUIT", "221")
	all := s.Messages()
	if len(all) != 1 {
		t.Fatalf("got %d messages", len(all))
	}
	m := all[0]
	if m.From != "a@example.org" || m.To[0] != "b@example.org" || m.Title != "你好" || m.Text != "one=two\n.stuffed\n..\n" || m.TLS {
		t.Errorf("got %+v", m)
	}
}

func TestCommandsOutOfOrder(t *testing.T) {
	t.Parallel()
	k := serve(t, New(nil))()
	k.ask("MAIL FROM:<a@example.org>", "503")
	k.ask("EHLO x", "250")
	k.ask("RCPT TO:<b@example.org>", "503")
	k.ask("DATA", "503")
	k.ask("MAIL FROM: a@example.org", "501")
	k.ask(fmt.Sprintf("MAIL FROM:<a@example.org> SIZE=%d", MaxMessage+1), "552")
	k.ask("mail from:<a@example.org> SIZE=10", "250")
	k.ask("MAIL FROM:<c@example.org>", "503")
	k.ask("RCPT TO:<>", "501")
	k.ask("RCPT TO:<b@example.org>", "250")
	k.ask("RSET", "250")
	k.ask("DATA", "503")
	k.ask("STARTTLS", "502")
	k.ask("AUTH PLAIN AAAA", "504")
	k.ask("HELO x", "250")
	k.ask("NOOP", "250")
	k.ask("VRFY a", "252")
	k.ask("NONSENSE", "500")
	k.send("X" + strings.Repeat("y", maxLine+10))
	k.expect("500")
}

func TestBounds(t *testing.T) {
	t.Parallel()
	s := New(nil)
	open := serve(t, s)
	k := open()
	k.mail(strings.Repeat(strings.Repeat("z", 998)+"\r\n", MaxMessage/1000+2))
	k.expect("552")
	k.ask("MAIL FROM:<>", "250") // the dialogue goes on; the empty path is a bounce
	for range MaxRecipients {
		k.ask("RCPT TO:<b@example.org>", "250")
	}
	k.ask("RCPT TO:<b@example.org>", "452")
	if n := len(s.Messages()); n != 0 {
		t.Errorf("%d messages were kept", n)
	}
	for range MaxKept + 3 {
		s.keep(Message{Data: "x"})
	}
	if all := s.Messages(); len(all) != MaxKept || all[0].Number != 4 {
		t.Errorf("got %d messages from number %d on", len(all), all[0].Number)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	s := New(nil)
	open := serve(t, s)
	s.SetFault(Fault{Reply: "451 4.3.0 later", Times: 1})
	k := open()
	k.mail("Subject: x\r\n\r\nfirst")
	k.expect("451")
	k.mail("Subject: x\r\n\r\nsecond")
	k.expect("250")
	s.SetFault(Fault{Rcpt: "550 5.1.1 nobody"})
	k.ask("EHLO x", "250")
	k.ask("MAIL FROM:<a@example.org>", "250")
	k.ask("RCPT TO:<b@example.org>", "550")
	s.SetFault(Fault{Drop: true, Times: 1})
	k = open()
	k.mail("Subject: x\r\n\r\ndropped")
	if _, err := k.in.ReadString('\n'); err == nil {
		t.Error("the connection was not cut")
	}
	if all := s.Messages(); len(all) != 2 {
		t.Errorf("got %d messages, want the second and the dropped one", len(all))
	}
}

func TestTheControlPort(t *testing.T) {
	t.Parallel()
	s := New(nil)
	s.keep(Message{To: []string{"b@example.org"}, Data: "Subject: a\r\n\r\nx"})
	s.keep(Message{To: []string{"c@example.org"}, Data: "Subject: b\r\n\r\ny"})
	do := func(method, target, body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
		return w
	}
	var got []Message
	if err := json.Unmarshal(do(http.MethodGet, "/messages?to=c@example.org", "").Body.Bytes(), &got); err != nil || len(got) != 1 || got[0].Title != "b" {
		t.Errorf("got %+v, %v", got, err)
	}
	if w := do(http.MethodPut, "/fault", `{"reply":"550 no"}`); w.Code != http.StatusNoContent || s.present().Reply != "550 no" {
		t.Errorf("got %d", w.Code)
	}
	if w := do(http.MethodPut, "/fault", `{"replay":"550 no"}`); w.Code != http.StatusBadRequest {
		t.Errorf("an unknown fault: got %d", w.Code)
	}
	do(http.MethodDelete, "/messages", "")
	if len(s.Messages()) != 0 {
		t.Error("messages remain")
	}
}

func TestWaitReturnsTheNextMail(t *testing.T) {
	t.Parallel()
	s := New(nil)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	got := make(chan Message, 1)
	go func() {
		m, err := s.Wait(ctx, "b@example.org", 0)
		if err != nil {
			t.Error(err)
		}
		got <- m
	}()
	s.keep(Message{To: []string{"a@example.org"}})
	s.keep(Message{To: []string{"b@example.org"}, Data: "Subject: hit\r\n\r\n"})
	if m := <-got; m.Title != "hit" || m.Number != 2 {
		t.Errorf("got %+v", m)
	}
	cancel()
	if _, err := s.Wait(ctx, "nobody@example.org", 0); err == nil {
		t.Error("waiting ended without mail and without error")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("Subject: x\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b--\r\n")
	f.Add("Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n")
	f.Fuzz(func(t *testing.T, data string) {
		_, text, html := decode(data)
		if len(text)+len(html) > 8*len(data)+8 {
			t.Errorf("%d bytes became %d", len(data), len(text)+len(html))
		}
	})
}
