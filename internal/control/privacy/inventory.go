package privacy

import (
	"context"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// ErrNoTable says that nothing of the person is held under a name.
var ErrNoTable = errs.New(errs.NotFound, "privacy.table_not_found")

// shownRows is how many rows of one table are opened on the page; a copy has all.
const shownRows = 100

// Inventory is what is held of a person in one table, without the values.
type Inventory struct {
	Table      string
	Rows       int64
	Categories []holding.Category
	Classes    []string // retention classes, with the words of the published table
	Law        string   // that keeps the rows when the account is erased; empty: none
	Until      string   // what ends that, as a code: "order+3y"
	Withheld   int      // sealed columns of which a copy shows nothing, each for a reason
}

// Inventories lists the tables that hold something of a person (clause LT-4.1).
func (s *Service) Inventories(ctx context.Context, p account.Principal) ([]Inventory, error) {
	who, err := s.person(ctx, p.Subject, p.Account)
	if err != nil {
		return nil, err
	}
	all := []Inventory{}
	for _, h := range s.d.Held {
		rows, err := h.Visible(ctx, s.d.DB, who, holding.View{Now: s.d.Clock.Now()})
		if err != nil {
			return nil, err
		}
		if rows > 0 {
			all = append(all, inventory(h, s.copier(Copy).table(h.Table), rows))
		}
	}
	return all, nil
}

func inventory(h holding.Held, t holding.Table, rows int64) Inventory {
	i := Inventory{Table: t.Name, Rows: rows, Withheld: len(h.Withheld)}
	if h.Keeps != nil {
		i.Law, i.Until = h.Keeps.Law, h.Keeps.Until
	}
	for _, c := range t.Columns {
		if c.Category == "" {
			continue
		}
		if !slices.Contains(i.Categories, c.Category) {
			i.Categories = append(i.Categories, c.Category)
		}
		if !slices.Contains(i.Classes, c.Retention) {
			i.Classes = append(i.Classes, c.Retention)
		}
	}
	return i
}

// Kept is how long a class is kept, in the words of the published table; empty
// for a class that it leaves out.
func (s *Service) Kept(class, language string) string {
	i := slices.IndexFunc(retention.Classes(), func(c retention.Class) bool { return c.ID == class })
	if i < 0 {
		return ""
	}
	c := retention.Classes()[i]
	if words := c.KeptHongKong[language]; s.d.Profile == "hongkong" && words != "" {
		return words
	}
	return c.Kept[language]
}

// Sheet is what is held of a person in one table, opened: the newest rows. A table
// of which nothing can be shown has no columns and no rows, and its Total.
type Sheet struct {
	Columns []string
	Rows    [][]string
	Total   int
}

// Look opens what is held of a person in one table; the reading is recorded.
// Errors: ErrNoTable, those of the vault.
func (s *Service) Look(ctx context.Context, p account.Principal, table string) (Sheet, error) {
	who, err := s.person(ctx, p.Subject, p.Account)
	if err != nil {
		return Sheet{}, err
	}
	// A table may hold rows of an owner and rows of a VPN user.
	i := slices.IndexFunc(s.d.Held, func(h holding.Held) bool { return h.Table == table && h.Of(who) })
	if i < 0 {
		return Sheet{}, ErrNoTable
	}
	c := s.copier(Copy)
	c.Held = s.d.Held[i : i+1]
	columns, rows, total, err := c.sheet(ctx, c.Held[0], who, vault.Reader{Class: vault.Self, Handle: p.Subject, Session: p.Session})
	if err != nil {
		return Sheet{}, err
	}
	if total == 0 {
		return s.closed(ctx, c, who)
	}
	out := Sheet{Columns: columns, Rows: make([][]string, len(rows)), Total: total}
	for i, row := range rows {
		for _, name := range columns {
			out.Rows[i] = append(out.Rows[i], text(row[name]))
		}
	}
	return out, nil
}

// closed is the sheet of a table whose columns a copy shows none of, each for a
// reason: how many rows there are. ErrNoTable: none.
func (s *Service) closed(ctx context.Context, c Copier, who holding.Person) (Sheet, error) {
	n, err := c.Held[0].Visible(ctx, c.DB, who, c.view())
	if err == nil && n == 0 {
		err = ErrNoTable
	}
	return Sheet{Columns: []string{}, Rows: [][]string{}, Total: int(n)}, err
}

// sheet reads the last rows of one table and opens what is sealed in them. A
// table without sealed columns has nothing to record.
func (c Copier) sheet(ctx context.Context, h holding.Held, p holding.Person, by vault.Reader) (columns []string, rows []holding.Row, total int, err error) {
	t := c.table(h.Table)
	if rows, err = h.Rows(ctx, c.DB, t, p, c.view()); err != nil {
		return nil, nil, 0, err
	}
	total = len(rows)
	rows = rows[max(0, total-shownRows):]
	slices.Reverse(rows)
	if len(h.Opens) > 0 && total > 0 {
		reads := c.tickets(vault.Read{Subject: p.Handle, Reader: by, Fields: c.fields(), Purpose: "rights", Reason: "look"})
		for _, row := range rows {
			if err = reads.open(ctx, h, row, p); err != nil {
				return nil, nil, 0, err
			}
		}
	}
	return h.Columns(t), rows, total, nil
}
