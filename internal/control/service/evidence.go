package service

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Unverified counts the active services in regions that ask for a real name, and
// those whose owner is not verified (LT-1.1b).
func (s *Service) Unverified(ctx context.Context) (examined, found int64, err error) {
	all, err := inState(ctx, s.d.DB, Active)
	if err != nil {
		return 0, 0, err
	}
	for _, v := range all {
		i, err := s.identify(ctx, v)
		switch {
		case err == nil && i.exempt != "":
			continue
		case errs.KindOf(err) == errs.Forbidden:
			found++
		case err != nil:
			return examined, found, err
		}
		examined++
	}
	return examined, found, nil
}
