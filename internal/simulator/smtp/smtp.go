// Package smtp is a mail sink: an SMTP server (RFC 5321) that takes every mail
// for tests and the demo, keeps the last ones in memory and shows them on a
// control port. It relays nothing.
package smtp

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// Message is one taken mail.
type Message struct {
	From string
	To   []string
	Data string // headers and body as received, lines ended with CRLF
	At   time.Time
}

// Fault is what the server does wrong; the zero value is none.
type Fault struct {
	Reply string        // answer to DATA's end: "451 4.3.0 try later", "550 5.1.1 no such user"
	Delay time.Duration // before each answer
	Drop  bool          // cut the connection after the message's last dot, before the answer
	Times int           // how many messages; 0 = until changed
}

// Server is the sink.
type Server struct{ TLS *tls.Config }

// New makes a server; certificate nil means without STARTTLS.
func New(t *tls.Config) *Server { return &Server{TLS: t} }

// Serve serves SMTP on l until ctx ends.
func (s *Server) Serve(ctx context.Context, l net.Listener) error { <-ctx.Done(); return nil }

// Messages returns the kept messages, oldest first.
func (s *Server) Messages() []Message { return nil }

// SetFault makes the next messages fail.
func (s *Server) SetFault(f Fault) {}

// Control serves GET /messages, DELETE /messages, PUT /fault.
func (s *Server) Control() http.Handler { return http.NotFoundHandler() }
