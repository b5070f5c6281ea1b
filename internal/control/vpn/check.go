package vpn

import (
	"context"
	"errors"
)

// Check tells, before anything is paid, whether Create would make the gateway:
// ErrNameInvalid, ErrLimits, ErrNetworkNotFound. What may change until then
// (quota, names taken) is decided by Create.
func (s *Service) Check(_ context.Context, in NewGateway) error {
	if err := errors.Join(checkName(in.Name), in.check()); err != nil {
		return err
	}
	_, err := s.network(in.Account, in.Region, in.Network)
	return err
}
