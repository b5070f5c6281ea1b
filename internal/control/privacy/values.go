package privacy

import (
	"context"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Values returns what is held of a person in the columns of some categories,
// opened, each value once. The reading is recorded.
func (c Copier) Values(ctx context.Context, p holding.Person, by vault.Reader, purpose string, of ...holding.Category) ([]string, error) {
	t := c.tickets(vault.Read{Subject: p.Handle, Reader: by, Fields: c.fields(), Purpose: purpose, Reason: "erasure"})
	var all []string
	for _, h := range c.Held {
		table := c.table(h.Table)
		var wanted []string
		for _, col := range table.Columns {
			if slices.Contains(of, col.Category) && slices.Contains(h.Columns(table), col.Name) {
				wanted = append(wanted, col.Name)
			}
		}
		if len(wanted) == 0 {
			continue
		}
		rows, err := h.Rows(ctx, c.DB, table, p, c.view())
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if err := t.open(ctx, h, row, p); err != nil {
				return nil, err
			}
			for _, name := range wanted {
				if v := text(row[name]); v != "" {
					all = append(all, v)
				}
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}
