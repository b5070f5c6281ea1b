package job

import "github.com/skybridge-cloud/skybridge/internal/platform/holding"

// Holdings describes the columns. Payloads hold what Arguments lists, none of it
// personal: a job about a person names the handle.
func Holdings() []holding.Table {
	return []holding.Table{holding.Of("job_item",
		holding.None("an opaque row id", "id"),
		holding.None("the kind of work and its state", "kind", "state", "attempt"),
		holding.None("a key made from ids of business objects", "dedupe"),
		holding.None("ids of business objects, never values of a person", "payload"),
		holding.None("when the work is due and was made", "run_at", "lease_until", "created_at"),
		holding.None("an error text of our own code, without input values", "last_error"),
	)}
}
