package audit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Disclosure tells a person what was sent to whom. Fields are names; no value
// is ever kept.
type Disclosure struct {
	ID        string
	At        time.Time
	Subject   id.Handle
	Recipient string
	LegalName string
	Role      string
	Region    string
	Op        string
	Purpose   string
	Basis     string
	Mechanism string
	Fields    []string
	Phase     string // "intent" until finished: it may have been sent; then done, failed or unknown
	EndedAt   time.Time
	Order     string    // of an authority, that it was done for
	Shown     time.Time // from when the person sees it; zero: at once
	Index     int64     // of the intent's leaf
}

var errReceipt = errs.New(errs.NotFound, "audit.no_disclosure")

func (d Disclosure) event(kind string) Event {
	return Event{
		Type: kind, Subject: d.Subject, Actor: Actor{Class: "system"},
		Detail: orderDetail(map[string]string{
			"recipient": d.Recipient, "role": d.Role, "region": d.Region, "op": d.Op, "purpose": d.Purpose, "basis": d.Basis,
			"mechanism": d.Mechanism, "fields": strings.Join(d.Fields, " "), "phase": d.Phase, "legal_name": d.LegalName,
			"at": d.At.Format(time.RFC3339Nano),
		}, d.Order, d.Shown),
	}
}

// payload is the id of the sealed detail of one phase.
func (d Disclosure) payload() string { return d.ID + ":" + d.Phase }

// BeginDisclosure commits an intent before the first byte is sent; it fills
// egress.Ledger. It has a transaction of its own.
func (s *Service) BeginDisclosure(ctx context.Context, i egress.Intent) (egress.Receipt, error) {
	d := Disclosure{
		ID: id.New("dis"), At: s.clock.Now(), Subject: i.Subject, Recipient: i.Recipient, LegalName: i.LegalName, Role: i.Role, Region: i.Region,
		Op: i.Op, Purpose: i.Purpose, Basis: i.Basis, Mechanism: i.Mechanism, Fields: i.Fields, Phase: "intent", Order: i.Order,
	}
	var err error
	if d.Shown, err = s.shownFrom(ctx, i.Order, i.Subject); err != nil {
		return egress.Receipt{}, err
	}
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if _, err := s.insertPhase(ctx, tx, d); err != nil {
			return err
		}
		return s.appendTx(ctx, tx, d.event("disclosure.intent"), d.payload())
	})
	if err != nil {
		return egress.Receipt{}, fmt.Errorf("recording a disclosure: %w", err)
	}
	return egress.Receipt{ID: d.ID}, nil
}

// DiscloseTx records in the caller's transaction what was handed over without a
// connection. It must commit before anybody else gets it.
func (s *Service) DiscloseTx(ctx context.Context, tx *db.Tx, i egress.Intent) error {
	d := Disclosure{
		ID: id.New("dis"), At: s.clock.Now(), Subject: i.Subject, Recipient: i.Recipient, LegalName: i.LegalName, Role: i.Role, Region: i.Region,
		Op: i.Op, Purpose: i.Purpose, Basis: i.Basis, Mechanism: i.Mechanism, Fields: i.Fields,
	}
	for _, phase := range []struct{ name, leaf string }{{"intent", "disclosure.intent"}, {string(egress.Done), "disclosure.finished"}} {
		d.Phase = phase.name
		if _, err := s.insertPhase(ctx, tx, d); err != nil {
			return err
		}
		if err := s.appendTx(ctx, tx, d.event(phase.leaf), d.payload()); err != nil {
			return err
		}
	}
	return nil
}

// FinishDisclosure adds the outcome of a disclosure; it fills egress.Ledger.
// Only the first outcome counts.
func (s *Service) FinishDisclosure(ctx context.Context, r egress.Receipt, o egress.Outcome) error {
	err := s.db.InTx(ctx, func(tx *db.Tx) error {
		phases, err := db.Select(ctx, tx, scanPhase, "SELECT "+phaseColumns+" FROM audit_disclosure WHERE id = $1", r.ID)
		if err != nil {
			return err
		}
		switch len(phases) {
		case 0:
			return errReceipt
		case 1:
		default:
			return nil
		}
		d := phases[0]
		d.Phase, d.At = string(o), s.clock.Now()
		if _, err := s.insertPhase(ctx, tx, d); err != nil {
			return err
		}
		return s.appendTx(ctx, tx, d.event("disclosure.finished"), d.payload())
	})
	if err != nil {
		return fmt.Errorf("recording the end of a disclosure: %w", err)
	}
	return nil
}

func (s *Service) insertPhase(ctx context.Context, tx *db.Tx, d Disclosure) (int64, error) {
	return tx.Exec(ctx, `INSERT INTO audit_disclosure (id, phase, at, handle, recipient, legal_name, role, region, op, purpose, basis, mechanism, fields,
			legal_order, shown_from)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		d.ID, d.Phase, db.Micros(d.At), d.Subject, d.Recipient, d.LegalName, d.Role, d.Region, d.Op, d.Purpose, d.Basis,
		d.Mechanism, strings.Join(d.Fields, " "), d.Order, db.Micros(d.Shown))
}

const phaseColumns = "id, phase, at, handle, recipient, legal_name, role, region, op, purpose, basis, mechanism, fields, legal_order, shown_from"

func scanPhase(r db.Row) (d Disclosure, err error) {
	var at, shown int64
	var fields string
	err = r.Scan(&d.ID, &d.Phase, &at, &d.Subject, &d.Recipient, &d.LegalName, &d.Role, &d.Region, &d.Op, &d.Purpose, &d.Basis, &d.Mechanism, &fields,
		&d.Order, &shown)
	d.At, d.Shown, d.Fields = db.FromMicros(at), db.FromMicros(shown), strings.Fields(fields)
	return d, err
}

func scanDisclosure(r db.Row) (d Disclosure, err error) {
	var at, ended, shown int64
	var fields string
	err = r.Scan(&d.ID, &at, &d.Subject, &d.Recipient, &d.LegalName, &d.Role, &d.Region, &d.Op, &d.Purpose, &d.Basis, &d.Mechanism, &fields,
		&d.Order, &shown, &d.Phase, &ended, &d.Index)
	d.At, d.EndedAt, d.Shown, d.Fields = db.FromMicros(at), db.FromMicros(ended), db.FromMicros(shown), strings.Fields(fields)
	return d, err
}

// Disclosures lists what was sent about a person, newest first: at most limit
// (1-500), older than the one with id before (empty = from the newest), but for
// what an order hides for now.
func (s *Service) Disclosures(ctx context.Context, subject id.Handle, before string, limit int) ([]Disclosure, error) {
	if before == "" {
		before = "~" // sorts after every id
	}
	return db.Select(ctx, s.db, scanDisclosure, `SELECT i.id, i.at, i.handle, i.recipient, i.legal_name, i.role, i.region, i.op, i.purpose,
			i.basis, i.mechanism, i.fields, i.legal_order, i.shown_from, coalesce(o.phase, i.phase), coalesce(o.at, 0), l.idx
		FROM audit_disclosure i
		LEFT JOIN audit_disclosure o ON o.id = i.id AND o.phase <> 'intent'
		JOIN audit_leaf l ON l.payload = i.id || ':intent'
		WHERE i.handle = $1 AND i.phase = 'intent' AND i.id < $2 AND i.shown_from <= $4 ORDER BY i.id DESC LIMIT $3`,
		subject, before, int64(limit), s.now())
}
