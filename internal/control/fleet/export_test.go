package fleet

import "context"

// What periodic jobs do, for tests to run at their time.
func Reap(ctx context.Context, s *Service) error  { return s.reap(ctx) }
func Sweep(ctx context.Context, s *Service) error { return s.sweep(ctx) }
