package db

import "database/sql"

// Pools returns the figures of the connection pools by name: "write" and "read",
// which are one on PostgreSQL.
func (d *DB) Pools() map[string]sql.DBStats {
	all := map[string]sql.DBStats{"write": d.write.Stats()}
	if d.read != d.write {
		all["read"] = d.read.Stats()
	}
	return all
}
