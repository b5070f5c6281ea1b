package db

import "context"

// RowVersions runs a query of ids and versions.
func RowVersions(ctx context.Context, q Q, text string, args ...any) (map[string]int64, error) {
	type pair struct {
		id      string
		version int64
	}
	rows, err := Select(ctx, q, func(r Row) (p pair, err error) { return p, r.Scan(&p.id, &p.version) }, text, args...)
	if err != nil {
		return nil, err
	}
	all := make(map[string]int64, len(rows))
	for _, p := range rows {
		all[p.id] = p.version
	}
	return all, nil
}
