package audit

import (
	"context"
	"errors"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// detail holds a payload to its commitment, and the rows that repeat it.
func (w *walker) detail(ctx context.Context, e entry) error {
	ref := payloadRef(e.Payload, e.Handle, e.class)
	if !fits(e) {
		w.bad("payload_missing", e.Index)
		return nil
	}
	if len(e.body) == 0 {
		gone, err := w.s.vault.Destroyed(ctx, ref.Owner(), e.class)
		if err == nil && !gone {
			w.bad("payload_missing", e.Index)
		}
		w.report.Erased++
		return err
	}
	got, err := w.s.vault.CommitmentOf(ctx, ref, e.body)
	switch {
	case errors.Is(err, vault.ErrErased):
		w.report.Erased++
		return nil
	case errors.Is(err, vault.ErrIntegrity):
		w.bad("payload_altered", e.Index)
		return nil
	case err != nil:
		return err
	case hexOf(got[:]) != e.Commitment:
		w.bad("commitment_differs", e.Index)
	}
	return w.repeated(ctx, e, ref)
}

// repeated compares a row of the read log or the register with its leaf.
func (w *walker) repeated(ctx context.Context, e entry, ref vault.Ref) error {
	want, kept, err := w.s.rowOf(ctx, e)
	if err != nil || !kept {
		return err
	}
	body, err := want.payload()
	if err != nil {
		return err
	}
	same, err := w.s.vault.Matches(ctx, ref, e.body, body)
	if err == nil && (!same || want.Subject != e.Handle) {
		w.bad("row_differs", e.Index)
	}
	return err
}

// rowOf rebuilds the event of a row that a leaf belongs to; kept is false for
// types without a row. A missing row gives an event that matches nothing.
func (s *Service) rowOf(ctx context.Context, e entry) (ev Event, kept bool, err error) {
	switch e.Type {
	case "read.recorded":
		rows, err := db.Select(ctx, s.db, scanRead, "SELECT "+readColumns+" FROM audit_read r JOIN audit_leaf l ON l.payload = r.id WHERE r.id = $1", e.Payload)
		if err != nil || len(rows) == 0 {
			return Event{}, true, err
		}
		return rows[0].event(), true, nil
	case "disclosure.intent", "disclosure.finished":
		receipt, phase, _ := strings.Cut(e.Payload, ":")
		rows, err := db.Select(ctx, s.db, scanPhase, "SELECT "+phaseColumns+" FROM audit_disclosure WHERE id = $1 AND phase = $2", receipt, phase)
		if err != nil || len(rows) == 0 {
			return Event{}, true, err
		}
		return rows[0].event(e.Type), true, nil
	}
	return Event{}, false, nil
}

// Detail opens the detail of a leaf for a reader who holds a ticket for the
// field audit_payload.body of the leaf's subject; leaves without a subject need
// none.
func (s *Service) Detail(ctx context.Context, t vault.Ticket, l Leaf) ([]byte, error) {
	kept, err := s.keptDetail(ctx, l)
	if err != nil {
		return nil, err
	}
	return s.vault.OpenSalted(ctx, t, payloadRef(l.Payload, l.Handle, kept.class), kept.body)
}

// keptDetail is the sealed detail of a leaf and the class of its key.
func (s *Service) keptDetail(ctx context.Context, l Leaf) (entry, error) {
	return db.Get(ctx, s.db, ErrRange, func(r db.Row) (e entry, err error) { return e, r.Scan(&e.class, &e.body) },
		"SELECT class, body FROM audit_payload WHERE id = $1", l.Payload)
}

// DetailField is the field name for a read ticket of Detail.
var DetailField = payloadRef("", "", "").Field()
