package incident

import "context"

// Names of tests for what only jobs call.

func (s *Service) Count(ctx context.Context, incident string) error { return s.count(ctx, incident) }
func (s *Service) Fanout(ctx context.Context, notice string) error  { return s.fanout(ctx, notice) }
func (s *Service) Watch(ctx context.Context) error                  { return s.watch(ctx) }
func (r Reach) Owes() bool                                          { return r.owes() }
