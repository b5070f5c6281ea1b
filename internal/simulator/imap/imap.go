// Package imap is an IMAP server for tests and the demonstration, over TLS, with
// mailboxes in memory. It speaks the real protocol and misbehaves on request:
// connections that end after so many bytes, numbers that begin anew, mails that
// come twice.
package imap

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// Server has mailboxes by user, each with an INBOX.
type Server struct {
	cert tls.Certificate

	mu    sync.Mutex
	boxes map[string]*box
	cut   atomic.Int64 // bytes after which a connection ends; 0: never
	dials atomic.Int64
}

type box struct {
	password string
	user     *imapmemserver.User
	kept     [][]byte
}

// New makes a server with a mailbox for each user.
func New(cert tls.Certificate, passwords map[string]string) (*Server, error) {
	s := &Server{cert: cert, boxes: map[string]*box{}}
	for name, password := range passwords {
		b := &box{password: password}
		if err := b.renew(name); err != nil {
			return nil, err
		}
		s.boxes[name] = b
	}
	return s, nil
}

func (b *box) renew(name string) error {
	b.user = imapmemserver.NewUser(name, b.password)
	return b.user.Create("INBOX", nil)
}

// Deliver puts a mail into a mailbox.
func (s *Server) Deliver(name string, raw []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.boxes[name]
	if !ok {
		return fmt.Errorf("no mailbox %q", name)
	}
	b.kept = append(b.kept, raw)
	return b.append(raw)
}

func (b *box) append(raw []byte) error {
	_, err := b.user.Append("INBOX", literal{bytes.NewReader(raw), int64(len(raw))}, &imap.AppendOptions{Time: time.Now()})
	return err
}

// Renumber makes a mailbox anew with the same mails, as a restored backup is: its
// UIDVALIDITY changes and all numbers with it.
func (s *Server) Renumber(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.boxes[name]
	if err := b.user.Rename("INBOX", fmt.Sprintf("old-%d", time.Now().UnixNano()), nil); err != nil {
		return err
	}
	if err := b.user.Create("INBOX", nil); err != nil {
		return err
	}
	for _, raw := range b.kept {
		if err := b.append(raw); err != nil {
			return err
		}
	}
	return nil
}

// Cut ends each further connection after so many bytes to the client; 0 stops it.
func (s *Server) Cut(after int64) { s.cut.Store(after) }

// Dials counts the connections.
func (s *Server) Dials() int64 { return s.dials.Load() }

type literal struct {
	io.Reader
	size int64
}

func (l literal) Size() int64 { return l.size }

// Serve answers on a listener until ctx ends.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			mem := imapmemserver.New()
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, b := range s.boxes {
				mem.AddUser(b.user)
			}
			return mem.NewSession(), &imapserver.GreetingData{}, nil
		},
		Caps: imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIMAP4rev2: {}}, InsecureAuth: true, // the listener is TLS
		Logger: log.New(io.Discard, "", 0),
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-ctx.Done()
		_ = server.Close()
	}()
	err := server.Serve(tls.NewListener(listener{l, s}, &tls.Config{Certificates: []tls.Certificate{s.cert}, MinVersion: tls.VersionTLS12}))
	if ctx.Err() != nil {
		<-done
		return nil
	}
	return err
}

// Handler takes mails over HTTP for the demonstration: POST /mailboxes/{name}.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /mailboxes/{name}", func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<20))
		if err == nil {
			err = s.Deliver(r.PathValue("name"), raw)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

type listener struct {
	net.Listener
	s *Server
}

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.s.dials.Add(1)
	if n := l.s.cut.Load(); n > 0 {
		return &short{Conn: c, left: n}, nil
	}
	return c, nil
}

// short is a connection that breaks off.
type short struct {
	net.Conn
	left int64
}

func (c *short) Write(b []byte) (int, error) {
	if c.left -= int64(len(b)); c.left < 0 {
		_ = c.Close()
		return 0, net.ErrClosed
	}
	return c.Conn.Write(b)
}
