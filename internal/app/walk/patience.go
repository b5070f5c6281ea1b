package walk

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"
)

// patience is how long the walk repeats what got no answer: longer than the
// pause before a process that ended is started again.
const patience = 45 * time.Second

// lostError says that a request got no answer: whether it was done is unknown.
type lostError struct{ error }

func (l lostError) Unwrap() error { return l.error }

// patiently repeats try while its answer is lost or the service is away, as
// any good client does.
func (w *walker) patiently(ctx context.Context, try func() error) error {
	w.lost = false
	for until := time.Now().Add(patience); ; {
		err := try()
		if !passing(err) || ctx.Err() != nil || time.Now().After(until) {
			return err
		}
		w.lost = true
		select {
		case <-ctx.Done():
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// passing reports whether an error may go away by itself.
func passing(err error) bool {
	var lost lostError
	if errors.As(err, &lost) {
		return true
	}
	var p *problem
	return errors.As(err, &p) && (p.Status >= http.StatusInternalServerError || p.Code == "api.idempotency_running")
}

// done reports whether a call that was refused with one of codes had been done
// before, by a request whose answer was lost.
func (w *walker) done(err error, codes ...string) bool {
	var p *problem
	return w.lost && errors.As(err, &p) && slices.Contains(codes, p.Code)
}
