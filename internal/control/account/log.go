package account

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/mileusna/useragent"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// observed is what LT-1.3 allows to be kept of where a request came from. The
// raw User-Agent ends here.
type observed struct {
	IP      string `json:"ip"`
	Browser string `json:"browser"`
	OS      string `json:"os"`
	Page    string `json:"page,omitempty"`
}

func observe(src Source) observed {
	ua := useragent.Parse(src.UserAgent)
	o := observed{Browser: known(ua.Name, ua.Version), OS: known(ua.OS, ua.OSVersion)}
	if src.IP.IsValid() {
		o.IP = src.IP.Unmap().WithZone("").String()
	}
	return o
}

// families are the names that may be kept: a User-Agent is free text, and what
// somebody writes into it is nobody's browser.
var families = map[string]bool{
	useragent.Chrome: true, useragent.HeadlessChrome: true, useragent.Firefox: true, useragent.Safari: true, useragent.Edge: true,
	useragent.Opera: true, useragent.OperaMini: true, useragent.InternetExplorer: true, useragent.Vivaldi: true, useragent.SamsungBrowser: true,
	useragent.Windows: true, useragent.Linux: true, useragent.MacOS: true, useragent.Android: true, useragent.IOS: true,
	useragent.FreeBSD: true, useragent.ChromeOS: true,
}

// known returns name and major version, or "other".
func known(name, version string) string {
	if !families[name] {
		return "other"
	}
	major, _, _ := strings.Cut(version, ".")
	if major == "" || len(major) > 4 || strings.Trim(major, "0123456789") != "" {
		return name
	}
	return name + " " + major
}

// Each civil day of a log has its own key.
func day(at time.Time) string { return civil.DayOf(at).String() }

func loginRef(subject id.Handle, row, day string) vault.Ref {
	return vault.Ref{Table: "account_login", Column: "detail", Row: row, Subject: subject, Class: "netlog/" + day}
}

func accessRef(subject id.Handle, row, day string) vault.Ref {
	return vault.Ref{Table: "account_access", Column: "detail", Row: row, Subject: subject, Class: "access_log/" + day}
}

type loginRow struct {
	id, session, method, outcome, day string
	subject                           id.Handle
	detail                            []byte
	at                                time.Time
}

func (s *Service) loginEntry(ctx context.Context, p person, session, method, outcome string, seen observed) (loginRow, error) {
	now := s.d.Clock.Now()
	row := loginRow{id: id.New("lgn"), session: session, method: method, outcome: outcome, day: day(now), subject: p.subject, at: now}
	raw, err := json.Marshal(seen)
	if err != nil {
		return row, err
	}
	row.detail, err = s.d.Vault.Seal(ctx, loginRef(p.subject, row.id, row.day), raw)
	return row, err
}

func insertLogin(ctx context.Context, tx *db.Tx, r loginRow) error {
	_, err := tx.Exec(ctx, "INSERT INTO account_login (id, subject, session, method, outcome, detail, day, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		r.id, string(r.subject), r.session, r.method, r.outcome, r.detail, r.day, db.Micros(r.at))
	return err
}

// noteLogin writes a line about a try that made no session.
func (s *Service) noteLogin(ctx context.Context, p person, src Source, session, method, outcome string) error {
	row, err := s.loginEntry(ctx, p, session, method, outcome, observe(src))
	if err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error { return insertLogin(ctx, tx, row) })
}

// MaxPage is the longest list that the logs answer with.
const MaxPage = 500

func clampLimit(n int) int {
	if n <= 0 {
		return 50
	}
	return min(n, MaxPage)
}

// LoginLog returns the lines of a person, newest first, from after cursor on;
// the second result is the cursor of the next page, empty at the end.
func (s *Service) LoginLog(ctx context.Context, p Principal, cursor string, limit int) ([]LoginEntry, string, error) {
	limit = clampLimit(limit)
	rows, err := db.Select(ctx, s.d.DB, func(r db.Row) (l loginRow, err error) {
		var at int64
		err = r.Scan(&l.id, &l.method, &l.outcome, &l.detail, &l.day, &at)
		l.at = db.FromMicros(at)
		return l, err
	}, `SELECT id, method, outcome, detail, day, at FROM account_login WHERE subject = $1 AND ($2 = '' OR id < $2) ORDER BY id DESC LIMIT $3`,
		string(p.Subject), cursor, limit+1)
	if err != nil || len(rows) == 0 {
		return []LoginEntry{}, "", err
	}
	ticket, err := s.d.Vault.Begin(ctx, s.self(p, "security_audit", "account_login.detail"))
	if err != nil {
		return nil, "", err
	}
	var all []LoginEntry
	for _, r := range rows[:min(limit, len(rows))] {
		var seen observed
		if err := s.unseal(ctx, ticket, loginRef(p.Subject, r.id, r.day), r.detail, &seen); err != nil {
			return nil, "", err
		}
		all = append(all, LoginEntry{ID: r.id, At: r.at, IP: seen.IP, Browser: seen.Browser, OS: seen.OS, Method: r.method, Outcome: r.outcome})
	}
	return all, nextCursor(len(rows) > limit, all[len(all)-1].ID), nil
}

func nextCursor(more bool, last string) string {
	if more {
		return last
	}
	return ""
}

// accessLine waits in memory until Run writes it.
type accessLine struct {
	subject id.Handle
	seen    observed
	at      time.Time
}

const maxAccessLines = 4096

// RecordAccess notes that a signed-in person asked for a page; path is kept
// without its query. It returns at once; Run writes within a second. Beyond
// 4096 waiting lines further ones are dropped and counted in the log.
func (s *Service) RecordAccess(subject id.Handle, src Source, path string) {
	if subject == "" {
		return
	}
	if !mutant.Off("LT-1.3") {
		path, _, _ = strings.Cut(path, "?")
	}
	if len(path) > 256 {
		path = path[:256]
	}
	line := accessLine{subject: subject, seen: observe(src), at: s.d.Clock.Now()}
	line.seen.Page = strings.ToValidUTF8(path, "")
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.access) >= maxAccessLines {
		s.spill++
		return
	}
	s.access = append(s.access, line)
}

// Run writes the access log each second until ctx ends, then once more.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return s.FlushAccess(context.WithoutCancel(ctx))
		case <-tick.C:
			if err := s.FlushAccess(ctx); err != nil && ctx.Err() == nil {
				s.d.Log.ErrorContext(ctx, "writing the access log", "error", err)
			}
		}
	}
}

// FlushAccess writes the waiting lines. Lines that could not be written are
// lost, and the error says so.
func (s *Service) FlushAccess(ctx context.Context) error {
	s.mu.Lock()
	lines, spill := s.access, s.spill
	s.access, s.spill = nil, 0
	s.mu.Unlock()
	if spill > 0 {
		s.d.Log.WarnContext(ctx, "access log lines dropped", "count", spill)
	}
	if len(lines) == 0 {
		return nil
	}
	type row struct {
		id, day string
		detail  []byte
	}
	rows := make([]row, len(lines))
	for i, l := range lines {
		raw, err := json.Marshal(l.seen)
		if err != nil {
			return err
		}
		r := row{id: id.New("acl"), day: day(l.at)}
		if r.detail, err = s.d.Vault.Seal(ctx, accessRef(l.subject, r.id, r.day), raw); err != nil {
			return err
		}
		rows[i] = r
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		for i, r := range rows {
			_, err := tx.Exec(ctx, "INSERT INTO account_access (id, subject, detail, day, at) VALUES ($1, $2, $3, $4, $5)",
				r.id, string(lines[i].subject), r.detail, r.day, db.Micros(lines[i].at))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// AccessLog is LoginLog for the access log.
func (s *Service) AccessLog(ctx context.Context, p Principal, cursor string, limit int) ([]AccessEntry, string, error) {
	limit = clampLimit(limit)
	rows, err := db.Select(ctx, s.d.DB, func(r db.Row) (l loginRow, err error) {
		var at int64
		err = r.Scan(&l.id, &l.detail, &l.day, &at)
		l.at = db.FromMicros(at)
		return l, err
	}, `SELECT id, detail, day, at FROM account_access WHERE subject = $1 AND ($2 = '' OR id < $2) ORDER BY id DESC LIMIT $3`,
		string(p.Subject), cursor, limit+1)
	if err != nil || len(rows) == 0 {
		return []AccessEntry{}, "", err
	}
	ticket, err := s.d.Vault.Begin(ctx, s.self(p, "security_audit", "account_access.detail"))
	if err != nil {
		return nil, "", err
	}
	var all []AccessEntry
	page := rows[:min(limit, len(rows))]
	for _, r := range page {
		var seen observed
		if err := s.unseal(ctx, ticket, accessRef(p.Subject, r.id, r.day), r.detail, &seen); err != nil {
			return nil, "", err
		}
		all = append(all, AccessEntry{At: r.at, IP: seen.IP, Browser: seen.Browser, OS: seen.OS, Page: seen.Page})
	}
	return all, nextCursor(len(rows) > limit, page[len(page)-1].id), nil
}
