package realnametest

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/control/age"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Ages judges ages by the rules of a profile, for people without a guardian, and
// notes whose data are to be erased.
type Ages struct {
	Clock   clock.Clock
	Profile string
	Erased  []id.Handle
	Missing error // what Gate answers
}

// Learn fills realname.Ages.
func (a *Ages) Learn(_ context.Context, subject id.Handle, _ string, birth civil.Day) (age.Band, error) {
	years, err := age.At(birth, civil.DayOf(a.Clock.Now()))
	if err != nil {
		return "", err
	}
	switch b := age.BandOf(years); age.RuleFor(a.Profile, b) {
	case age.Refused, age.Guardian:
		a.Erased = append(a.Erased, subject)
		return b, age.ErrTooYoung
	case age.Free:
		return "", nil
	default:
		return b, nil
	}
}

// Gate fills realname.Ages.
func (a *Ages) Gate(context.Context, id.Handle) error { return a.Missing }
