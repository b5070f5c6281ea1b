package service

import "context"

// What periodic jobs do, for tests to run at their time.
func Day(ctx context.Context, s *Service) error       { return s.days(ctx) }
func Earn(ctx context.Context, s *Service) error      { return s.earn(ctx) }
func Reconcile(ctx context.Context, s *Service) error { return s.reconcile(ctx) }

var AddMonths = addMonths
