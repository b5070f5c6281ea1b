package job

import "context"

// Plan is what schedule does each second, for tests to do at their time.
func Plan(ctx context.Context, q *Queue) error { return q.plan(ctx) }
