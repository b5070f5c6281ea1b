package privacy

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/age"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Errors of what guardians ask for.
var (
	ErrProof     = errs.New(errs.Conflict, "privacy.proof_needed").ByClause("TY-7.3") // two of the staff have not seen the proof
	ErrNoProof   = errs.New(errs.Unprocessable, "privacy.proof_digest")               // no SHA-256, or not that of the first person
	ErrProofSame = errs.New(errs.Forbidden, "privacy.proof_same_person")
	ErrNoChild   = errs.New(errs.Unprocessable, "privacy.no_child") // no such account, or not the one that the first person named
)

// Owners tells whose an account is. The module account fills it.
type Owners interface {
	Owner(ctx context.Context, a account.ID) (id.Handle, error)
}

// channelAge is the channel of erasures that nobody asked for: data of a minor
// that were collected without their basis.
const channelAge = "age"

// done0d is due on the day itself (section 3.4: a mis-collected minor).
const done0d = "done.0d"

// EraseMinorTx opens the erasure of what is held of a minor, due today, ends the
// sessions and locks the clients in the same transaction, and has it carried
// out. While it is open another one changes nothing. It fills age.Eraser.
func (s *Service) EraseMinorTx(ctx context.Context, tx *db.Tx, subject id.Handle, owner string) (fresh bool, err error) {
	n, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM privacy_request WHERE subject = $1 AND channel = $2 AND closed_at = 0",
		string(subject), channelAge)
	if err != nil || n > 0 {
		return false, err
	}
	now := s.d.Clock.Now()
	r := begin(Request{Account: account.ID(owner), Subject: subject, Kind: Delete, Channel: channelAge, ReceivedAt: now, Due: civil.DayOf(now).End()})
	if r.words, err = s.d.Vault.Seal(ctx, r.ref("words"), nil); err != nil {
		return false, err
	}
	if err := insert(ctx, tx, r, []Clock{{Rule: done0d, Due: r.Due}}); err != nil {
		return false, err
	}
	if err := s.recordTx(ctx, tx, account.Principal{}, "privacy.request_received", r, map[string]string{"kind": string(r.Kind), "due": lastDay(r.Due)}); err != nil {
		return false, err
	}
	return true, s.carryMinorTx(ctx, tx, r)
}

// RestrictMinorTx ends the sessions of a minor without a guardian and locks the
// VPN clients of the account. It fills age.Eraser.
func (s *Service) RestrictMinorTx(ctx context.Context, tx *db.Tx, subject id.Handle, owner string) error {
	if err := s.d.Tunnels.ShutClientsTx(ctx, tx, account.Principal{Account: account.ID(owner), Subject: subject}); err != nil {
		return err
	}
	return s.d.Logins.EndSessionsTx(ctx, tx, subject, "minor")
}

// carryMinorTx freezes what is open of a minor and has the erasure carried out.
func (s *Service) carryMinorTx(ctx context.Context, tx *db.Tx, r Request) error {
	if err := s.RestrictMinorTx(ctx, tx, r.Subject, string(r.Account)); err != nil {
		return err
	}
	r.Decision = Granted
	err := s.moveTx(ctx, tx, account.Principal{}, r, EventCarry, "privacy.request_answered", map[string]string{"decision": string(Granted)})
	if err != nil || s.d.Carrier == nil {
		return err
	}
	r.State = Carrying
	return s.d.Carrier.CarryTx(ctx, tx, r)
}

// Proof is what shows that somebody is the guardian of a minor. The document is
// not kept: of it there is the SHA-256, which a second person computes again from
// the same document.
type Proof struct {
	Child       account.ID
	Subject     id.Handle // the child's
	Document    string    // SHA-256 in hex
	SeenBy      id.Handle
	SeenAt      time.Time
	ConfirmedBy id.Handle
	ConfirmedAt time.Time // zero: the second person has not seen it
}

const proofColumns = "child_account, child, document, seen_by, seen_at, confirmed_by, confirmed_at"

func scanProof(r db.Row) (p Proof, err error) {
	var seen, confirmed int64
	err = r.Scan(&p.Child, &p.Subject, &p.Document, &p.SeenBy, &seen, &p.ConfirmedBy, &confirmed)
	p.SeenAt, p.ConfirmedAt = db.FromMicros(seen), db.FromMicros(confirmed)
	return p, err
}

// ProofOf is the proof of a guardian's request; ErrProof if nobody saw one.
func (s *Service) ProofOf(ctx context.Context, request string) (Proof, error) {
	return proofOf(ctx, s.d.DB, request)
}

func proofOf(ctx context.Context, q db.Q, request string) (Proof, error) {
	return db.Get(ctx, q, ErrProof, scanProof, "SELECT "+proofColumns+" FROM privacy_guardian WHERE request = $1", request)
}

// SeeProof keeps that a member of the staff saw the proof of a guardian and which
// account is the child's; a second one confirms it by the same digest. done tells
// whether it is confirmed. Errors: ErrNoProof, ErrNoChild, ErrProofSame, ErrOwn.
func (s *Service) SeeProof(ctx context.Context, p account.Principal, request string, child account.ID, document string) (done bool, err error) {
	if !age.GoodDigest(document) {
		return false, ErrNoProof
	}
	subject, err := s.d.Owners.Owner(ctx, child)
	if errs.IsNotFound(err) {
		return false, ErrNoChild
	}
	if err != nil {
		return false, err
	}
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		r, err := foreign(ctx, tx, p, request)
		if err != nil {
			return err
		}
		if r.Kind != Guardian || !r.State.open() {
			return ErrState.With("state", string(r.State))
		}
		have, err := proofOf(ctx, tx, request)
		if errs.CodeOf(err) == ErrProof.Code {
			return s.proofSeenTx(ctx, tx, p, r, Proof{Child: child, Subject: subject, Document: document})
		}
		if err != nil {
			return err
		}
		done = true
		return s.proofConfirmedTx(ctx, tx, p, r, have, Proof{Child: child, Document: document})
	})
	return done, err
}

func (s *Service) proofSeenTx(ctx context.Context, tx *db.Tx, p account.Principal, r Request, seen Proof) error {
	if seen.Subject == p.Subject {
		return ErrOwn
	}
	err := tx.ExecOne(ctx, db.ErrRetry, "INSERT INTO privacy_guardian (request, "+proofColumns+") VALUES ($1, $2, $3, $4, $5, $6, '', 0) ON CONFLICT DO NOTHING",
		r.ID, string(seen.Child), string(seen.Subject), seen.Document, string(p.Subject), db.Micros(s.d.Clock.Now()))
	if err != nil {
		return err
	}
	return s.recordTx(ctx, tx, p, "privacy.proof_seen", r, map[string]string{"document_sha256": seen.Document, "account": string(seen.Child)})
}

func (s *Service) proofConfirmedTx(ctx context.Context, tx *db.Tx, p account.Principal, r Request, have, again Proof) error {
	switch {
	case !have.ConfirmedAt.IsZero():
		return nil
	case p.Subject == have.SeenBy || p.Subject == have.Subject:
		return ErrProofSame
	case again.Document != have.Document:
		return ErrNoProof
	case again.Child != have.Child:
		return ErrNoChild
	}
	err := tx.ExecOne(ctx, db.ErrRetry, "UPDATE privacy_guardian SET confirmed_by = $1, confirmed_at = $2 WHERE request = $3 AND confirmed_at = 0",
		string(p.Subject), db.Micros(s.d.Clock.Now()), r.ID)
	if err != nil {
		return err
	}
	return s.recordTx(ctx, tx, p, "privacy.proof_confirmed", r, map[string]string{"document_sha256": have.Document})
}

// guardedTx erases the child's data and cancels its services when a guardian's
// request is granted; without a proof that two saw it is not (clause TY-7.3).
func (s *Service) guardedTx(ctx context.Context, tx *db.Tx, r Request) error {
	have, err := proofOf(ctx, tx, r.ID)
	switch {
	case mutant.Off("TY-7.3"):
		return nil
	case err != nil:
		return err
	case have.ConfirmedAt.IsZero():
		return ErrProof
	}
	_, err = s.EraseMinorTx(ctx, tx, have.Subject, string(have.Child))
	return err
}
