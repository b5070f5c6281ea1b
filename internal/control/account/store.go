package account

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrations returns the module's schema.
func Migrations() db.Migrations {
	sub, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "account", Files: sub}
}

func itoa(n int) string { return strconv.Itoa(n) }

// hashToken is what is stored of a token of 128 random bits or more.
func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// person is a row of account_person.
type person struct {
	subject     id.Handle
	account     ID
	name        string
	nameKey     string
	email       []byte
	emailBlind  string
	verifiedAt  time.Time
	password    string
	staff       bool
	permissions []string
	locale      string
	createdAt   time.Time
}

const personColumns = "p.subject, p.account, p.name, p.name_key, p.email, p.email_blind, p.email_verified_at, p.password, p.staff, p.permissions, p.locale, p.created_at"

func (p *person) dest(verified, staff, created *int64, permissions *string) []any {
	return []any{&p.subject, &p.account, &p.name, &p.nameKey, &p.email, &p.emailBlind, verified, &p.password, staff, permissions, &p.locale, created}
}

func (p *person) finish(verified, staff, created int64, permissions string) {
	p.verifiedAt, p.staff, p.createdAt = db.FromMicros(verified), staff == 1, db.FromMicros(created)
	p.permissions = strings.Fields(permissions)
}

func scanPerson(r db.Row) (p person, err error) {
	var verified, staff, created int64
	var permissions string
	err = r.Scan(p.dest(&verified, &staff, &created, &permissions)...)
	p.finish(verified, staff, created, permissions)
	return p, err
}

func personBy(ctx context.Context, q db.Q, column string, value string) (person, error) {
	text := "SELECT " + personColumns + " FROM account_person p WHERE p.subject = $1"
	switch column {
	case "name_key":
		text = "SELECT " + personColumns + " FROM account_person p WHERE p.name_key = $1"
	case "verified_email":
		text = "SELECT " + personColumns + " FROM account_person p JOIN account_email e ON e.subject = p.subject WHERE e.blind = $1"
	}
	return db.Get(ctx, q, ErrNotFound, scanPerson, text, value)
}

// insertPerson reports false if the name is taken.
func insertPerson(ctx context.Context, tx *db.Tx, p person) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO account_person
		(subject, account, name, name_key, email, email_blind, email_verified_at, password, password_at, staff, permissions, locale, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $9) ON CONFLICT DO NOTHING`,
		string(p.subject), string(p.account), p.name, p.nameKey, p.email, p.emailBlind, db.Micros(p.verifiedAt), p.password, db.Micros(p.createdAt),
		db.Bool(p.staff), strings.Join(p.permissions, " "), p.locale)
	if err != nil || n != 1 {
		return false, err
	}
	_, err = tx.Exec(ctx, "INSERT INTO account_account (id, owner, state, created_at) VALUES ($1, $2, 'active', $3)",
		string(p.account), string(p.subject), db.Micros(p.createdAt))
	return true, err
}

// session is a row of account_session with its person.
type session struct {
	id, family string
	device     []byte
	mfa        bool
	stepUp     time.Time
	idle       time.Duration
	createdAt  time.Time
	lastSeen   time.Time
	expiresAt  time.Time
	revokedAt  time.Time
	person     person
}

const sessionColumns = "s.id, s.family, s.device, s.mfa, s.step_up_until, s.idle_micros, s.created_at, s.last_seen_at, s.expires_at, s.revoked_at"

func scanSession(r db.Row) (s session, err error) {
	var mfa, stepUp, idle, created, seen, expires, revoked int64
	var verified, staff, pcreated int64
	var permissions string
	err = r.Scan(append([]any{&s.id, &s.family, &s.device, &mfa, &stepUp, &idle, &created, &seen, &expires, &revoked},
		s.person.dest(&verified, &staff, &pcreated, &permissions)...)...)
	s.person.finish(verified, staff, pcreated, permissions)
	s.mfa, s.stepUp, s.idle = mfa == 1, db.FromMicros(stepUp), time.Duration(idle)*time.Microsecond
	s.createdAt, s.lastSeen, s.expiresAt, s.revokedAt = db.FromMicros(created), db.FromMicros(seen), db.FromMicros(expires), db.FromMicros(revoked)
	return s, err
}

// live reports whether the session is neither revoked nor over.
func (s session) live(now time.Time) bool {
	return s.revokedAt.IsZero() && now.Before(s.expiresAt) && now.Before(s.lastSeen.Add(s.idle))
}

func insertSession(ctx context.Context, tx *db.Tx, s session, token string) error {
	_, err := tx.Exec(ctx, `INSERT INTO account_session
		(id, subject, token_hash, family, device, mfa, step_up_until, idle_micros, created_at, last_seen_at, expires_at, revoked_at, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, 0, '')`,
		s.id, string(s.person.subject), hashToken(token), s.family, s.device, db.Bool(s.mfa), db.Micros(s.stepUp), s.idle.Microseconds(),
		db.Micros(s.createdAt), db.Micros(s.expiresAt))
	return err
}

// revokeSessions ends the live sessions of a person but one, and all
// remember-me tokens with them.
func revokeSessions(ctx context.Context, tx *db.Tx, subject id.Handle, but, reason string, now time.Time) error {
	_, err := tx.Exec(ctx, "UPDATE account_session SET revoked_at = $1, reason = $2 WHERE subject = $3 AND id <> $4 AND revoked_at = 0",
		db.Micros(now), reason, string(subject), but)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE account_remember SET revoked_at = $1 WHERE subject = $2 AND revoked_at = 0", db.Micros(now), string(subject))
	return err
}

// rotate gives a live session a new token.
func rotate(ctx context.Context, tx *db.Tx, session, token string) error {
	return tx.ExecOne(ctx, ErrSession, "UPDATE account_session SET token_hash = $1 WHERE id = $2 AND revoked_at = 0", hashToken(token), session)
}
