// Package smtp is a mail sink: an SMTP server (RFC 5321) that takes every mail
// for tests and the demo, keeps the last ones in memory and shows them on a
// control port. It relays nothing and checks no password.
//
//	greeting ─ EHLO ─ [STARTTLS ─ EHLO] ─ MAIL ─ RCPT+ ─ DATA ─ . ─ kept
//	              ▲                         └──────── RSET ────────┘
package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Bounds of what the server takes.
const (
	MaxMessage    = 1 << 20 // bytes, announced with SIZE
	MaxRecipients = 100
	MaxKept       = 200 // messages in memory; the oldest go first
	maxLine       = 4096
	idle          = 30 * time.Second
)

// Message is one taken mail.
type Message struct {
	Number int       `json:"number"`
	From   string    `json:"from"`
	To     []string  `json:"to"`
	TLS    bool      `json:"tls"`
	At     time.Time `json:"at"`
	Title  string    `json:"subject"` // decoded
	Text   string    `json:"text"`    // the text/plain part, decoded
	HTML   string    `json:"html"`    // the text/html part, decoded
	Data   string    `json:"data"`    // headers and body as received, lines ended with CRLF
}

// Fault is what the server does wrong; the zero value is nothing.
type Fault struct {
	Rcpt  string `json:"rcpt"`  // answer to RCPT: "550 5.1.1 no such user"
	Reply string `json:"reply"` // answer to the message's last dot: "451 4.3.0 later"
	Delay int    `json:"delay"` // milliseconds before each answer
	Drop  bool   `json:"drop"`  // keep the message, then cut the connection instead of answering
	Times int    `json:"times"` // for how many messages; 0 = until changed
}

// Server is the sink. It is safe for concurrent use.
type Server struct {
	tls *tls.Config

	mu     sync.Mutex
	kept   []Message
	number int
	fault  Fault
	left   int
	wait   chan struct{} // closed and replaced with each message
}

// New makes a server. With a configuration it offers STARTTLS.
func New(t *tls.Config) *Server { return &Server{tls: t, wait: make(chan struct{})} }

// Serve serves SMTP on l until ctx ends, then closes l and the connections and
// waits for them.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accepting mail: %w", err)
		}
		wg.Go(func() {
			defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
			defer func() { _ = conn.Close() }()
			newDialogue(s, conn).run()
		})
	}
}

// Messages returns the kept messages, oldest first.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message{}, s.kept...)
}

// Wait returns the first message for an address beyond the given number, when
// it has come.
func (s *Server) Wait(ctx context.Context, to string, after int) (Message, error) {
	for {
		s.mu.Lock()
		next := s.wait
		for _, m := range s.kept {
			if m.Number > after && contains(m.To, to) {
				s.mu.Unlock()
				return m, nil
			}
		}
		s.mu.Unlock()
		select {
		case <-next:
		case <-ctx.Done():
			return Message{}, fmt.Errorf("waiting for a mail: %w", ctx.Err())
		}
	}
}

// SetFault makes the next messages fail.
func (s *Server) SetFault(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.left = f, f.Times
}

func (s *Server) present() Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

// spend counts a message against a fault that is for some messages only.
func (s *Server) spend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left > 0 {
		if s.left--; s.left == 0 {
			s.fault = Fault{}
		}
	}
}

func (s *Server) keep(m Message) {
	m.Title, m.Text, m.HTML = decode(m.Data)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.number++
	m.Number = s.number
	s.kept = append(s.kept, m)
	if len(s.kept) > MaxKept {
		s.kept = s.kept[len(s.kept)-MaxKept:]
	}
	close(s.wait)
	s.wait = make(chan struct{})
}

func (s *Server) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = nil
}

func contains(all []string, one string) bool {
	for _, x := range all {
		if x == one {
			return true
		}
	}
	return false
}

var errLong = errors.New("line too long")
