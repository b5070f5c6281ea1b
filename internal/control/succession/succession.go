// Package succession keeps transfers of the business: a merger, a sale, a
// bankruptcy (privacy policy clauses TY-4.2 and LT-3e; PIPL 22).
//
// It moves no data. It says whether a successor may get them, tells people, and
// records each person's transfer before an operator passes anything on.
//
//	announced ── Sign ──▶ signed ── its day ──▶ effective ── HandOver ──▶ handing_over ──▶ handed_over
//	    │                   │            └── purposes change: consents shut until a new act
//	    ├── its day ────────┼──▶ lapsed (unsigned, or the policies are others by now): consents shut
//	    └── Withdraw ───────┴──▶ withdrawn
//
// Invariants: what the successor signs is the text that Statement makes of the
// policies in force, with a key that was given at the announcement; the signature
// is verified again on the day and before anything is handed over, and is in the
// audit log; until then nothing is transferred; people are told first, with the
// successor's name and contact; one transfer at a time.
//
// Tables: succession_transfer.
package succession

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations returns the module's schema.
func Migrations() db.Migrations {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err)
	}
	return db.Migrations{Module: "succession", Files: sub}
}

// Errors.
var (
	ErrIncomplete = errs.New(errs.Unprocessable, "succession.incomplete") // params: field
	ErrKey        = errs.New(errs.Unprocessable, "succession.key")        // no Ed25519 public key
	ErrDay        = errs.New(errs.Unprocessable, "succession.day")        // less than the notice before it
	ErrDocuments  = errs.New(errs.Unprocessable, "succession.documents")  // none, or an unknown one
	ErrOther      = errs.New(errs.Conflict, "succession.other")           // another transfer is under way
	ErrSignature  = errs.New(errs.Unprocessable, "succession.signature")  // not over the statement, by the key
	ErrState      = errs.New(errs.Conflict, "succession.state")           // params: state
	ErrUnsigned   = errs.New(errs.LegalBlock, "succession.unsigned")      // nothing is handed over
	ErrSamePerson = errs.New(errs.Forbidden, "succession.same_person")    // who announced it
	ErrNotFound   = errs.New(errs.NotFound, "succession.not_found")
)

// States.
const (
	Announced   = "announced"
	Signed      = "signed"
	Effective   = "effective"
	HandingOver = "handing_over"
	HandedOver  = "handed_over"
	Lapsed      = "lapsed"
	Withdrawn   = "withdrawn"
)

const longestText = 300

// Transfer is one transfer of the business.
type Transfer struct {
	ID          string
	Successor   string // legal name
	Contact     string
	Region      string // of the successor's stores: "CN-mainland", "HK"
	Key         string // Ed25519, 32 bytes in base64; PEM is taken too when it is announced
	Documents   []string
	Change      string // what the successor changes of purposes or methods; empty: nothing
	EffectiveAt time.Time
	State       string
	EnteredBy   id.Handle
	EnteredAt   time.Time
	Signature   string // base64; empty until signed
	SignedAt    time.Time
	EndedAt     time.Time
	ToldAt      time.Time // when the last person was told; zero: not all yet

	told, handed id.Handle // how far the work over everybody has come
	version      int64
}

// Deps is what the module needs.
type Deps struct {
	DB      *db.DB
	Clock   clock.Clock
	Queue   *job.Queue
	Log     *slog.Logger
	Audit   *audit.Service
	Consent *consent.Service
	Account *account.Service
	Notify  *notify.Service
	Copier  privacy.Copier // says which kinds of data are held of a person
	People  People
}

// Service is the module. It is safe for concurrent use.
type Service struct{ d Deps }

// New makes the module and registers its jobs.
func New(d Deps) *Service {
	s := &Service{d: d}
	job.On(d.Queue, jobTell, s.tell)
	job.On(d.Queue, jobHand, s.hand)
	d.Queue.Every("succession.day", time.Minute, s.Day)
	return s
}

// Announce enters a transfer and begins to tell people.
func (s *Service) Announce(ctx context.Context, p account.Principal, t Transfer) (Transfer, error) {
	now := s.d.Clock.Now()
	t.ID, t.State, t.EnteredBy, t.EnteredAt, t.version = id.New("suc"), Announced, p.Subject, now, 1
	var err error
	if t.Key, err = publicKey(t.Key); err != nil {
		return Transfer{}, err
	}
	slices.Sort(t.Documents)
	t.Documents = slices.Compact(t.Documents)
	if err := t.check(now); err != nil {
		return Transfer{}, err
	}
	text, err := s.statement(ctx, t)
	if err != nil {
		return Transfer{}, err
	}
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		n, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM succession_transfer WHERE state IN ('announced', 'signed', 'effective', 'handing_over')")
		if err != nil {
			return err
		}
		if n > 0 {
			return ErrOther
		}
		if err := insert(ctx, tx, t); err != nil {
			return err
		}
		if err := s.leaf(ctx, tx, "succession.announced", staff(p), t, text); err != nil {
			return err
		}
		return s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: jobTell, Payload: page{Transfer: t.ID}, Key: t.ID + ":"})
	})
	return t, err
}

func (t Transfer) check(now time.Time) error {
	for _, f := range []struct {
		name, value string
		empty       bool
	}{{"successor", t.Successor, false}, {"contact", t.Contact, false}, {"region", t.Region, false}, {"change", t.Change, true}} {
		if strings.ContainsAny(f.value, "\r\n") || len([]rune(f.value)) > longestText || strings.TrimSpace(f.value) == "" && !f.empty {
			return ErrIncomplete.With("field", f.name)
		}
	}
	if t.EffectiveAt.Before(now.Add(consent.NoticePeriod)) {
		return ErrDay
	}
	if len(t.Documents) == 0 {
		return ErrDocuments
	}
	return nil
}

// publicKey takes 32 bytes in base64 or a PEM block, and returns the former.
func publicKey(text string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if block, _ := pem.Decode([]byte(text)); block != nil {
		key, wrong := x509.ParsePKIXPublicKey(block.Bytes)
		public, ok := key.(ed25519.PublicKey)
		if wrong != nil || !ok {
			return "", ErrKey
		}
		raw, err = public, nil
	}
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return "", ErrKey
	}
	return base64.StdEncoding.EncodeToString(raw), nil
}

// Statement is what the successor signs now: who takes over what, when, with
// which change, and the digests of the policies in force.
func (s *Service) Statement(ctx context.Context, transfer string) (string, error) {
	t, err := load(ctx, s.d.DB, transfer)
	if err != nil {
		return "", err
	}
	return s.statement(ctx, t)
}

func (s *Service) statement(ctx context.Context, t Transfer) (string, error) {
	lines := []string{
		"skybridge-succession/v1", "transfer " + t.ID, "successor " + t.Successor, "contact " + t.Contact, "region " + t.Region,
		"effective " + t.EffectiveAt.UTC().Format(time.RFC3339), "change " + t.Change,
	}
	inForce, err := s.d.Consent.InForce(ctx)
	if err != nil {
		return "", err
	}
	for _, document := range t.Documents {
		i := slices.IndexFunc(inForce, func(v consent.Version) bool { return v.Document == document })
		if i < 0 {
			return "", ErrDocuments
		}
		lines = append(lines, fmt.Sprintf("document %s %s %s", document, inForce[i].Number, inForce[i].SHA256))
	}
	return strings.Join(lines, "\n") + "\n", nil
}

// signed reports whether a signature stands over the policies that are in force
// now.
func (s *Service) signed(ctx context.Context, t Transfer, signature string) (bool, error) {
	text, err := s.statement(ctx, t)
	if err != nil {
		return false, err
	}
	key, err := base64.StdEncoding.DecodeString(t.Key)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return false, ErrKey
	}
	raw, err := base64.StdEncoding.DecodeString(signature)
	return err == nil && ed25519.Verify(key, []byte(text), raw), nil
}

// leaf has the whole signature and the digest of the statement that it is over:
// who has the log and the policies verifies it.
func (s *Service) leaf(ctx context.Context, tx *db.Tx, kind string, by audit.Actor, t Transfer, text string) error {
	sum := sha256.Sum256([]byte(text))
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{
		Type: kind, Actor: by,
		Detail: map[string]string{"transfer": t.ID, "state": t.State, "key": t.Key, "signature": t.Signature, "statement_sha256": hex.EncodeToString(sum[:])},
	})
}

func staff(p account.Principal) audit.Actor {
	return audit.Actor{Class: "staff", Handle: p.Subject, Session: p.Session}
}

var system = audit.Actor{Class: "system"}
