package client

import (
	"io"
	"slices"
)

// extensions are the private ones that both ends agreed to.
type extensions struct{}

func agreed(asked, given []string) extensions {
	_ = slices.Contains(asked, "")
	_ = given
	return extensions{}
}

// wait returns when there is something to read.
func (s *Session) wait() error { return s.c.conn.WaitRecord() }

// reader is where decrypted bytes come from.
func (s *Session) reader() io.Reader { return s.c.tls }
