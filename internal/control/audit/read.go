package audit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// ReadEvent tells a person who read which of their fields, why and when.
type ReadEvent struct {
	ID      string
	At      time.Time
	Subject id.Handle
	Reader  vault.Reader
	Fields  []string
	Purpose string
	Reason  string
	Order   string    // of an authority, that it was done for
	Shown   time.Time // from when the person sees it; zero: at once
	Index   int64     // of the leaf, for a proof
}

// event is the leaf of a read; its detail repeats the row, so that Verify finds
// a row that was altered.
func (r ReadEvent) event() Event {
	return Event{
		Type: "read.recorded", Subject: r.Subject,
		Actor: Actor{Class: r.Reader.Class, Handle: r.Reader.Handle, Session: r.Reader.Session},
		Detail: orderDetail(map[string]string{
			"fields": strings.Join(r.Fields, " "), "purpose": r.Purpose, "reason": r.Reason, "at": r.At.Format(time.RFC3339Nano),
		}, r.Order, r.Shown),
	}
}

// RecordRead commits a read event and its leaf; it fills vault.ReadLog. It has
// a transaction of its own and must not be called inside one. ErrStopped: the
// reader opened too much within an hour, and a second person has to allow more.
func (s *Service) RecordRead(ctx context.Context, r vault.Read) (string, error) {
	e := ReadEvent{ID: id.New("read"), At: s.clock.Now(), Subject: r.Subject, Reader: r.Reader, Fields: r.Fields, Purpose: r.Purpose, Reason: r.Reason, Order: r.Order}
	var err error
	if e.Shown, err = s.shownFrom(ctx, r.Order, r.For()); err != nil {
		return "", err
	}
	stopped := false
	err = s.db.InTx(ctx, func(tx *db.Tx) error {
		if stopped, err = s.admitTx(ctx, tx, r); err != nil || stopped {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO audit_read (id, at, handle, class, reader, session, fields, purpose, reason, legal_order, shown_from)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			e.ID, db.Micros(e.At), e.Subject, e.Reader.Class, e.Reader.Handle, e.Reader.Session,
			strings.Join(e.Fields, " "), e.Purpose, e.Reason, e.Order, db.Micros(e.Shown))
		if err != nil {
			return err
		}
		return s.appendTx(ctx, tx, e.event(), e.ID)
	})
	if err != nil {
		return "", fmt.Errorf("recording a read: %w", err)
	}
	if stopped {
		s.log.ErrorContext(ctx, "a reader is stopped: data of too many people within an hour", "kind", r.Reader.Class, "handle", s.limited(r))
		return "", ErrStopped
	}
	return e.ID, nil
}

// ReadFilter narrows Reads.
type ReadFilter struct {
	Own    bool      // include the person's own reads
	Before time.Time // older ones only; zero = from the newest
	Limit  int       // 1..500; 0 = 100
}

const readColumns = "r.id, r.at, r.handle, r.class, r.reader, r.session, r.fields, r.purpose, r.reason, r.legal_order, r.shown_from, l.idx"

func scanRead(r db.Row) (e ReadEvent, err error) {
	var at, shown int64
	var fields string
	err = r.Scan(&e.ID, &at, &e.Subject, &e.Reader.Class, &e.Reader.Handle, &e.Reader.Session, &fields, &e.Purpose, &e.Reason, &e.Order, &shown, &e.Index)
	e.At, e.Shown, e.Fields = db.FromMicros(at), db.FromMicros(shown), strings.Fields(fields)
	return e, err
}

// Reads lists who read a person's fields, newest first, but for what an order
// hides for now.
func (s *Service) Reads(ctx context.Context, subject id.Handle, f ReadFilter) ([]ReadEvent, error) {
	if f.Limit <= 0 || f.Limit > 500 {
		f.Limit = 100
	}
	return db.Select(ctx, s.db, scanRead, "SELECT "+readColumns+` FROM audit_read r JOIN audit_leaf l ON l.payload = r.id
		WHERE r.handle = $1 AND ($2 = 1 OR r.class <> 'self' OR r.reader <> r.handle) AND (CAST($3 AS BIGINT) = 0 OR r.at < $3) AND r.shown_from <= $5
		ORDER BY r.at DESC, r.id DESC LIMIT $4`,
		subject, db.Bool(f.Own), db.Micros(f.Before), int64(f.Limit), s.now())
}
