package holding

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

// Verify compares the descriptions with a live schema (tables to columns) and
// names every difference: a table or column that nobody described, one that is
// described and not there, a description that is incomplete.
func Verify(described []Table, live map[string][]string) error {
	var wrong []error
	seen := map[string]bool{}
	for _, t := range described {
		if seen[t.Name] {
			wrong = append(wrong, fmt.Errorf("table %s is described twice", t.Name))
		}
		seen[t.Name] = true
		columns, ok := live[t.Name]
		if !ok {
			wrong = append(wrong, fmt.Errorf("table %s is described and does not exist", t.Name))
			continue
		}
		wrong = append(wrong, t.verify(columns)...)
	}
	for _, name := range slices.Sorted(maps.Keys(live)) {
		if !seen[name] {
			wrong = append(wrong, fmt.Errorf("table %s is not classified", name))
		}
	}
	return errors.Join(wrong...)
}

func (t Table) verify(live []string) (wrong []error) {
	described := map[string]bool{}
	for _, c := range t.Columns {
		described[c.Name] = true
		if !slices.Contains(live, c.Name) {
			wrong = append(wrong, fmt.Errorf("column %s.%s is described and does not exist", t.Name, c.Name))
		}
		if err := c.complete(); err != nil {
			wrong = append(wrong, fmt.Errorf("column %s.%s: %w", t.Name, c.Name, err))
		}
	}
	for _, name := range live {
		if !described[name] {
			wrong = append(wrong, fmt.Errorf("column %s.%s is not classified", t.Name, name))
		}
	}
	return wrong
}

func (c Column) complete() error {
	if c.Category == "" {
		if len([]rune(c.Why)) < 10 {
			return errors.New("not personal, but the reason is shorter than 10 characters")
		}
		return nil
	}
	if c.Subject == "" || len(c.Purposes) == 0 || c.Basis == "" {
		return errors.New("personal, but subject, purposes or basis are missing")
	}
	if !retention.Known(c.Retention) {
		return fmt.Errorf("personal, but %q is not a retention class", c.Retention)
	}
	return nil
}
