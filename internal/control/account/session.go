package account

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Authenticate returns who holds a session token; ErrSession if nobody does.
// It costs one indexed read, and once a minute a write.
func (s *Service) Authenticate(ctx context.Context, token string) (Principal, error) {
	if token == "" || len(token) > 128 {
		return Principal{}, ErrSession
	}
	ses, err := db.Get(ctx, s.d.DB, ErrSession, scanSession, "SELECT "+sessionColumns+", "+personColumns+
		" FROM account_session s JOIN account_person p ON p.subject = s.subject JOIN account_account a ON a.id = p.account WHERE s.token_hash = $1 AND a.state = 'active'",
		hashToken(token))
	if err != nil {
		return Principal{}, err
	}
	now := s.d.Clock.Now()
	if !ses.live(now) {
		return Principal{}, ErrSession
	}
	if now.Sub(ses.lastSeen) >= touchInterval {
		if err := s.touch(ctx, ses.id, now); err != nil {
			return Principal{}, err
		}
	}
	return s.principal(ctx, ses)
}

// touch never revives a session that was revoked meanwhile.
func (s *Service) touch(ctx context.Context, session string, now time.Time) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE account_session SET last_seen_at = $1 WHERE id = $2 AND revoked_at = 0 AND last_seen_at < $1", db.Micros(now), session)
		return err
	})
}

// Logout ends the principal's session and its remember-me family.
func (s *Service) Logout(ctx context.Context, p Principal) error {
	return s.revoke(ctx, p, p.Session, "account.logout")
}

// RevokeSession ends one session of the person; ErrNotFound for a session of
// somebody else.
func (s *Service) RevokeSession(ctx context.Context, p Principal, session string) error {
	return s.revoke(ctx, p, session, "account.session_revoked")
}

// EndSessionsTx ends all sessions and remember-me tokens of a person, for a
// reason in a word. The session in which it is asked for ends too.
func (s *Service) EndSessionsTx(ctx context.Context, tx *db.Tx, subject id.Handle, reason string) error {
	p, err := personBy(ctx, tx, "subject", string(subject))
	if err != nil {
		return err
	}
	if err := revokeSessions(ctx, tx, subject, "", reason, s.d.Clock.Now()); err != nil {
		return err
	}
	return s.leaf(ctx, tx, "account.session_revoked", p, "", map[string]string{"session": "all", "reason": reason})
}

// CloseTx shuts the account of a person for good: no session opens any more, by
// whatever was issued before. Closing twice, or an account that is gone, is no
// error.
func (s *Service) CloseTx(ctx context.Context, tx *db.Tx, subject id.Handle, reason string) error {
	p, err := personBy(ctx, tx, "subject", string(subject))
	if errs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE account_account SET state = 'closed' WHERE owner = $1", string(subject)); err != nil {
		return err
	}
	// A link that was mailed must not open it again.
	if _, err := tx.Exec(ctx, "DELETE FROM account_token WHERE subject = $1", string(subject)); err != nil {
		return err
	}
	if err := revokeSessions(ctx, tx, subject, "", reason, s.d.Clock.Now()); err != nil {
		return err
	}
	return s.leaf(ctx, tx, "account.closed", p, "", map[string]string{"reason": reason})
}

func (s *Service) revoke(ctx context.Context, p Principal, session, kind string) error {
	now := db.Micros(s.d.Clock.Now())
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		family, err := db.Get(ctx, tx, ErrNotFound, db.One[string],
			"SELECT family FROM account_session WHERE id = $1 AND subject = $2 AND revoked_at = 0", session, string(p.Subject))
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE account_session SET revoked_at = $1, reason = $2 WHERE id = $3 AND revoked_at = 0", now, kind, session); err != nil {
			return err
		}
		if family != "" {
			if _, err := tx.Exec(ctx, "UPDATE account_remember SET revoked_at = $1 WHERE family = $2 AND revoked_at = 0", now, family); err != nil {
				return err
			}
		}
		return s.leaf(ctx, tx, kind, person{subject: p.Subject, account: p.Account}, p.Session, map[string]string{"session": session})
	})
}

func sessionRef(subject id.Handle, session string) vault.Ref {
	return vault.Ref{Table: "account_session", Column: "device", Row: session, Subject: subject, Class: "account_core"}
}

func (s *Service) sealSession(ctx context.Context, ses session, seen observed) ([]byte, error) {
	raw, err := json.Marshal(seen)
	if err != nil {
		return nil, err
	}
	return s.d.Vault.Seal(ctx, sessionRef(ses.person.subject, ses.id), raw)
}

// remembered is a session with the end of its family's token.
type remembered struct {
	session
	until time.Time
}

func scanRemembered(r db.Row) (m remembered, err error) {
	var until int64
	m.session, err = scanSession(extra{r, &until})
	m.until = db.FromMicros(until)
	return m, err
}

// extra scans one more column behind those that a scan knows.
type extra struct {
	db.Row
	into any
}

// Scan scans into dest and the column behind.
func (e extra) Scan(dest ...any) error { return e.Row.Scan(append(dest, e.into)...) }

// listed finds the sessions of a person that are not over, or that are the last
// of a family whose browser may come back.
const listed = "SELECT " + sessionColumns + ", " + personColumns + `, COALESCE(m.expires_at, 0) FROM account_session s
	JOIN account_person p ON p.subject = s.subject
	LEFT JOIN account_remember m ON m.family = s.family AND m.used_at = 0 AND m.revoked_at = 0 AND m.expires_at > $2
		AND NOT EXISTS (SELECT 1 FROM account_session n WHERE n.family = s.family AND n.id > s.id)
	WHERE s.subject = $1 AND s.revoked_at = 0 AND (s.expires_at > $2 OR m.expires_at IS NOT NULL) ORDER BY s.id DESC`

// Sessions lists the live login sessions of a person, and those that a browser
// may come back to, newest first.
func (s *Service) Sessions(ctx context.Context, p Principal) ([]Session, error) {
	now := s.d.Clock.Now()
	rows, err := db.Select(ctx, s.d.DB, scanRemembered, listed, string(p.Subject), db.Micros(now))
	if err != nil || len(rows) == 0 {
		return []Session{}, err
	}
	ticket, err := s.d.Vault.Begin(ctx, s.self(p, "security", "account_session.device"))
	if err != nil {
		return nil, err
	}
	all := []Session{}
	for _, r := range rows {
		if !r.live(now) && r.until.IsZero() {
			continue
		}
		var seen observed
		if err := s.unseal(ctx, ticket, sessionRef(p.Subject, r.id), r.device, &seen); err != nil {
			return nil, err
		}
		all = append(all, Session{
			ID: r.id, Browser: seen.Browser, OS: seen.OS, IP: seen.IP, CreatedAt: r.createdAt, LastSeenAt: r.lastSeen,
			ExpiresAt: r.expiresAt, MFA: r.mfa, Current: r.id == p.Session, RememberedUntil: r.until,
		})
	}
	return all, nil
}

// self is the intent of a person to read the own data.
func (s *Service) self(p Principal, purpose string, fields ...string) vault.Read {
	return vault.Read{Reader: vault.Reader{Class: vault.Self, Handle: p.Subject, Session: p.Session}, Subject: p.Subject, Fields: fields, Purpose: purpose}
}

func (s *Service) unseal(ctx context.Context, t vault.Ticket, ref vault.Ref, sealed []byte, into any) error {
	raw, err := s.d.Vault.Open(ctx, t, ref, sealed)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("decoding %s: %w", ref.Field(), err)
	}
	return nil
}

func insertRemember(ctx context.Context, tx *db.Tx, subject id.Handle, family, token string, now, until time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO account_remember (token_hash, family, subject, created_at, expires_at, used_at, revoked_at)
		VALUES ($1, $2, $3, $4, $5, 0, 0)`, hashToken(token), family, string(subject), db.Micros(now), db.Micros(until))
	return err
}

type rememberRow struct {
	family             string
	subject            id.Handle
	expires, used, cut int64
}

// Resume trades a remember-me token, once, for a session and a new token. A
// token that is shown again was stolen or copied: its whole family ends, with
// the sessions made from it.
func (s *Service) Resume(ctx context.Context, token string, src Source) (Grant, error) {
	if token == "" || len(token) > 128 {
		return Grant{}, ErrSession
	}
	var row rememberRow
	reused := false
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		var err error
		row, err = db.Get(ctx, tx, ErrSession, func(r db.Row) (m rememberRow, err error) {
			return m, r.Scan(&m.family, &m.subject, &m.expires, &m.used, &m.cut)
		}, "SELECT family, subject, expires_at, used_at, revoked_at FROM account_remember WHERE token_hash = $1", hashToken(token))
		if err != nil {
			return err
		}
		now := db.Micros(s.d.Clock.Now())
		if reused = row.used != 0; reused {
			return s.endFamily(ctx, tx, row, now)
		}
		if row.cut != 0 || row.expires <= now {
			return ErrSession
		}
		return tx.ExecOne(ctx, db.ErrRetry, "UPDATE account_remember SET used_at = $1 WHERE token_hash = $2 AND used_at = 0", now, hashToken(token))
	})
	switch {
	case err != nil:
		return Grant{}, err
	case reused:
		return Grant{}, ErrSession
	}
	p, err := personBy(ctx, s.d.DB, "subject", string(row.subject))
	if errs.IsNotFound(err) {
		return Grant{}, ErrSession
	}
	if err != nil {
		return Grant{}, err
	}
	return s.open(ctx, p, opening{method: "remember", family: row.family, until: db.FromMicros(row.expires), src: src})
}

// Forget withdraws a remember-me token with its family: its browser signs in
// again next time. The session that it made goes on until its end. A token that
// nobody holds, or that ended, is no error.
func (s *Service) Forget(ctx context.Context, token string) error {
	if token == "" || len(token) > 128 {
		return nil
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		row, err := db.Get(ctx, tx, ErrNotFound, func(r db.Row) (m rememberRow, err error) { return m, r.Scan(&m.family, &m.subject) },
			"SELECT family, subject FROM account_remember WHERE token_hash = $1", hashToken(token))
		if errs.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, "UPDATE account_remember SET revoked_at = $1 WHERE family = $2 AND revoked_at = 0", db.Micros(s.d.Clock.Now()), row.family)
		if err != nil || n == 0 {
			return err
		}
		p, err := personBy(ctx, tx, "subject", string(row.subject))
		if err != nil {
			return err
		}
		return s.leaf(ctx, tx, "account.forgotten", p, "", map[string]string{"family": row.family})
	})
}

func (s *Service) endFamily(ctx context.Context, tx *db.Tx, row rememberRow, now int64) error {
	n, err := tx.Exec(ctx, "UPDATE account_remember SET revoked_at = $1 WHERE family = $2 AND revoked_at = 0", now, row.family)
	if err != nil || n == 0 {
		return err // ended before
	}
	if _, err := tx.Exec(ctx, "UPDATE account_session SET revoked_at = $1, reason = 'remember_reuse' WHERE family = $2 AND revoked_at = 0", now, row.family); err != nil {
		return err
	}
	p, err := personBy(ctx, tx, "subject", string(row.subject))
	if err != nil {
		return err
	}
	return s.leaf(ctx, tx, "account.remember_reuse", p, "", map[string]string{"family": row.family})
}

// StepUp checks the person again, with the second factor if there is one, else
// with the password, and opens sensitive acts for ten minutes. The session
// gets a new token, which is returned.
func (s *Service) StepUp(ctx context.Context, p Principal, pw, code string, src Source) (string, error) {
	who, err := personBy(ctx, s.d.DB, "subject", string(p.Subject))
	if err != nil {
		return "", err
	}
	method, err := s.secondFactor(ctx, who, code)
	if err != nil {
		return "", err
	}
	if method == "password" {
		if err := s.confirmPassword(ctx, who, pw, src); err != nil {
			return "", err
		}
	}
	token := id.Random(32)
	until := s.d.Clock.Now().Add(StepUpLife)
	return token, s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE account_session SET step_up_until = $1 WHERE id = $2 AND revoked_at = 0", db.Micros(until), p.Session)
		if err != nil {
			return err
		}
		return rotate(ctx, tx, p.Session, token)
	})
}
