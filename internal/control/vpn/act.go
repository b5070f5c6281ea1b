package vpn

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/fleet"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// ActKind is something that an administrator did with a login account.
type ActKind string

// Kinds of acts.
const (
	ActPassword   ActKind = "password_reset"
	ActToken      ActKind = "token_reset"
	ActRecovery   ActKind = "recovery_codes"
	ActSecret     ActKind = "secret_read"    // a generated password, token or key, in clear
	ActAddresses  ActKind = "addresses_read" // of sessions, by day
	ActDisconnect ActKind = "disconnected"
	ActDisable    ActKind = "disabled"
	ActEnable     ActKind = "enabled"
)

// Reset is why an administrator replaces a password or a token. There is no
// other way to a new one (clause TY-2.3).
type Reset struct {
	Reason string // one of ResetReasons
	Words  string // at most 200 characters, for the user; ReasonOther needs them
}

// ReasonOther is the reason that words explain.
const ReasonOther = "other"

// ResetReasons are why a password or a token may be replaced.
var ResetReasons = []string{"forgotten", "compromised", "device_lost", "handover", "rotation", ReasonOther}

const maxResetWords = 200

func (r Reset) check() error {
	words := strings.TrimSpace(r.Words)
	switch {
	case mutant.Off("TY-2.3"):
		return nil
	case !slices.Contains(ResetReasons, r.Reason), r.Reason == ReasonOther && words == "", utf8.RuneCountInString(words) > maxResetWords:
		return ErrResetReason
	}
	return nil
}

// Act is what an administrator did with a login account, as its user sees it.
type Act struct {
	ID     string // vact_...
	Kind   ActKind
	By     string // administrator, or staff of the operator
	Reason string // one of ResetReasons; empty for what needs none
	Words  string
	At     time.Time

	sealed []byte
}

// actTx notes an act for the user of a client. What users do themselves is none.
func (s *Service) actTx(ctx context.Context, tx *db.Tx, p account.Principal, c SSLClient, kind ActKind, why Reset) error {
	if p.Subject == "" || p.Subject == c.Subject {
		return nil
	}
	a := Act{ID: id.New("vact"), Kind: kind, By: "administrator", Reason: why.Reason}
	if p.Staff {
		a.By = vault.Staff
	}
	var err error
	if words := strings.TrimSpace(why.Words); words != "" {
		if a.sealed, err = s.vault.Seal(ctx, actRef(c.Subject, a.ID), []byte(words)); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, "INSERT INTO vpn_act (id, client, kind, by_class, reason, words_sealed, at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		a.ID, c.ID, string(a.Kind), a.By, a.Reason, blob(a.sealed), db.Micros(s.clock.Now()))
	return err
}

func actRef(subject id.Handle, act string) vault.Ref {
	return vault.Ref{Table: "vpn_act", Column: "words_sealed", Row: act, Subject: subject, Class: retentionClass}
}

// resetTx notes a reset: for the user, and with its reason in the log, as an
// entry about the user (clause TY-2.3).
func (s *Service) resetTx(ctx context.Context, tx *db.Tx, p account.Principal, c SSLClient, kind ActKind, why Reset) error {
	if err := s.actTx(ctx, tx, p, c, kind, why); err != nil {
		return err
	}
	return s.recordOf(ctx, tx, p, c.Subject, "cred.reset", map[string]string{"client": c.ID, "kind": string(kind), "reason": why.Reason})
}

// actOfDay notes that an administrator reads the addresses of sessions, for each
// of their clients once a day: lists of sessions are read again and again.
func (s *Service) actOfDay(ctx context.Context, sessions []fleet.Session) error {
	now := s.clock.Now()
	day := civil.DayOf(now).String()
	missing := map[string]string{}
	for _, v := range sessions {
		missing[id.ResourceOf("vact", v.Client, string(ActAddresses), day)] = v.Client
	}
	for act := range missing {
		n, err := db.Get(ctx, s.db, nil, db.One[int64], "SELECT count(*) FROM vpn_act WHERE id = $1", act)
		if err != nil {
			return err
		}
		if n > 0 {
			delete(missing, act)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		for act, client := range missing {
			_, err := tx.Exec(ctx, `INSERT INTO vpn_act (id, client, kind, by_class, reason, words_sealed, at)
				SELECT $1, id, $2, 'administrator', '', NULL, $3 FROM vpn_client WHERE id = $4 ON CONFLICT DO NOTHING`,
				act, string(ActAddresses), db.Micros(now), client)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Acts lists what administrators did with a user's login account, newest first,
// at most 200. Opening what they wrote is recorded.
func (s *Service) Acts(ctx context.Context, u UserSession) ([]Act, error) {
	all, err := db.Select(ctx, s.db, scanAct, "SELECT id, kind, by_class, reason, words_sealed, at FROM vpn_act WHERE client = $1 ORDER BY at DESC, id DESC LIMIT 200", u.Client)
	if err != nil || !slices.ContainsFunc(all, func(a Act) bool { return a.sealed != nil }) {
		return all, err
	}
	ticket, err := s.vault.Begin(ctx, vault.Read{
		Reader: readerOf(u.self()), Subject: u.Subject, Fields: []string{"vpn_act.words_sealed"}, Purpose: accessPurpose, Reason: "vpn",
	})
	if err != nil {
		return nil, err
	}
	for i, a := range all {
		if a.sealed == nil {
			continue
		}
		plain, err := s.vault.Open(ctx, ticket, actRef(u.Subject, a.ID), a.sealed)
		if err != nil {
			return nil, err
		}
		all[i].Words = string(plain)
	}
	return all, nil
}

func scanAct(r db.Row) (a Act, err error) {
	var at int64
	err = r.Scan(&a.ID, &a.Kind, &a.By, &a.Reason, &a.sealed, &at)
	a.At = db.FromMicros(at)
	return a, err
}

// Unreasoned counts resets, and those that tell their user no reason: evidence
// of clause TY-2.3.
func (s *Service) Unreasoned(ctx context.Context) (examined, found int64, err error) {
	examined, err = db.Get(ctx, s.db, nil, db.One[int64], "SELECT count(*) FROM vpn_act WHERE kind IN ('password_reset', 'token_reset')")
	if err != nil {
		return 0, 0, err
	}
	found, err = db.Get(ctx, s.db, nil, db.One[int64], "SELECT count(*) FROM vpn_act WHERE kind IN ('password_reset', 'token_reset') AND reason = ''")
	return examined, found, err
}
