package db

import (
	"context"
	"database/sql"
	"strings"
	"sync"
)

// statements keeps what SQLite compiled: it would compile every text again each
// time, which took a quarter of a short transaction. PostgreSQL's driver does the
// same by itself. The texts of a program are few; what comes after the first
// maxStatements is compiled each time.
type statements struct {
	pool *sql.DB
	mu   sync.RWMutex
	all  map[string]*sql.Stmt
}

const maxStatements = 512

// of returns a compiled text; nil if there is none yet.
func (s *statements) of(text string) *sql.Stmt {
	if s == nil {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.all[text]
}

// keep compiles a text for the next time. It waits for a connection: never call it
// with one. What cannot be compiled is not kept, and fails where it is run.
func (s *statements) keep(ctx context.Context, text string) *sql.Stmt {
	if s == nil || !repeats(text) {
		return nil
	}
	s.mu.RLock()
	have, full := s.all[text], len(s.all) >= maxStatements
	s.mu.RUnlock()
	if have != nil || full {
		return have
	}
	made, err := s.pool.PrepareContext(ctx, text)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if have := s.all[text]; have != nil {
		_ = made.Close() //nolint:sqlclosecheck // the other one is kept
		return have
	}
	s.all[text] = made
	return made
}

// repeats tells of the texts that modules have: no definitions, no settings.
func repeats(text string) bool {
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	switch word {
	case "SELECT", "INSERT", "UPDATE", "DELETE":
		return true
	}
	return false
}
