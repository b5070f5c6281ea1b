package holding

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// By is what leads from a person to rows.
type By string

// Ways from a person to rows.
const (
	ByHandle  By = "handle"  // sub_...
	ByAccount By = "account" // of its owner only
	ByClient  By = "client"  // the id of an SSL client, for its user only
)

// Person is whose rows are meant. Account is empty for the user of an SSL
// client, Client for the owner of an account.
type Person struct {
	Handle  id.Handle
	Account string
	Client  string
}

func (p Person) by(b By) string {
	return map[By]string{ByHandle: string(p.Handle), ByAccount: p.Account, ByClient: p.Client}[b]
}

// Held says which rows of a table are a person's, what of them goes into a copy
// and whether an erasure deletes them.
type Held struct {
	Table    string
	By       By
	Where    string            // condition on the table; $1 is the handle, account or client
	Each     string            // Where as it is asked of single rows, if it looks for all of a person's rows elsewhere; empty: Where
	Shows    []string          // columns that a copy shows beside the personal ones, because these say nothing without them
	Opens    []Opens           // sealed columns that a copy shows
	Withheld map[string]string // sealed columns that a copy does not show, each with the reason
	Keeps    *Keeps            // nil: an erasure deletes the rows
	Clears   map[string]string // columns of kept rows that no law keeps, with what an erasure writes there
	Dated    string            // SQL: when what a row tells of happened, in microseconds; empty: a row tells how things are
	Hidden   string            // SQL: rows that their person may not see at the time $2; empty: none
}

// Of reports whether the rows may be of a person: whether what leads to them is
// known of the person.
func (h Held) Of(p Person) bool { return p.by(h.By) != "" }

// View says which of a person's rows are looked at.
type View struct {
	Now   time.Time // for what is hidden for a time; zero hides it for good
	From  time.Time // with Until: rows of this span and those without a date; both zero: all
	Until time.Time // not included
}

// where is the condition on a table in a view, and its arguments.
func (h Held) where(who string, v View) (string, []any) {
	where, args := "("+h.Where+")", []any{who}
	if h.Hidden != "" {
		where += " AND NOT (" + h.Hidden + ")"
		args = append(args, db.Micros(v.Now))
	}
	if h.Dated != "" && !v.Until.IsZero() {
		n := len(args)
		where += fmt.Sprintf(" AND %s >= $%d AND %s < $%d", h.Dated, n+1, h.Dated, n+2)
		args = append(args, db.Micros(v.From), db.Micros(v.Until))
	}
	return where, args
}

// Opens names what a sealed column was sealed for (vault.Ref).
type Opens struct {
	Column string
	Row    string // column that names the row
	Class  string // class of the key
	Suffix string // column that is appended to Class after a slash, unless it is empty; empty = none

	Subject func(Row) id.Handle          // whose key it is; nil: the person's
	Needs   string                       // column that Subject looks at; empty = none
	Text    func([]byte) (string, error) // how the value is written for a person; nil: it is text
}

// KeyClass is the class that the column of a row was sealed for.
func (o Opens) KeyClass(row Row) string {
	var suffix string
	switch v := row[o.Suffix].(type) {
	case string:
		suffix = v
	case []byte:
		suffix = string(v)
	}
	if suffix == "" {
		return o.Class
	}
	return o.Class + "/" + suffix
}

// Keeps says why an erasure leaves rows: they are restricted instead.
type Keeps struct {
	Class string // retention class
	Law   string // that asks for it, as the clause registry names it
	Until string // what ends it, as a code: "order+3y"
}

// Columns are what a copy shows of the table, in the order of its description:
// the personal columns that are not withheld, and those of Shows. What proves
// who somebody is, and how the machinery does its work, is not for a file that
// people mail and lose.
func (h Held) Columns(t Table) (names []string) {
	for _, c := range t.Columns {
		personal := c.Category != "" && c.Category != AccountSecret && h.Withheld[c.Name] == ""
		if personal || slices.Contains(h.Shows, c.Name) {
			names = append(names, c.Name)
		}
	}
	return names
}

// Within is h over fewer columns of its table: what they leave out is neither
// shown nor opened.
func (h Held) Within(t Table) Held {
	all := h.Columns(t)
	h.Opens = slices.DeleteFunc(slices.Clone(h.Opens), func(o Opens) bool { return !slices.Contains(all, o.Column) })
	return h
}

// Visible is the number of a person's rows in the table that a view shows.
func (h Held) Visible(ctx context.Context, q db.Q, p Person, v View) (int64, error) {
	who := p.by(h.By)
	if who == "" {
		return 0, nil
	}
	where, args := h.where(who, v)
	return db.Get(ctx, q, nil, db.One[int64], fmt.Sprintf("SELECT count(*) FROM %s WHERE %s", h.Table, where), args...)
}

// Row is a row by column names.
type Row map[string]any

// Rows reads a person's rows of one table: the columns of a copy, and those that
// its sealed ones need to be opened. It returns none where the person is not of
// the kind that the table is about.
func (h Held) Rows(ctx context.Context, q db.Q, t Table, p Person, v View) ([]Row, error) {
	who := p.by(h.By)
	if who == "" {
		return nil, nil
	}
	names := h.Columns(t)
	for _, o := range h.Opens {
		names = append(names, o.Row)
		for _, n := range []string{o.Suffix, o.Needs} {
			if n != "" {
				names = append(names, n)
			}
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 {
		return nil, nil
	}
	scan := func(r db.Row) (Row, error) {
		cells := make([]any, len(names))
		to := make([]any, len(names))
		for i := range cells {
			to[i] = &cells[i]
		}
		if err := r.Scan(to...); err != nil {
			return nil, err
		}
		row := Row{}
		for i, n := range names {
			row[n] = cells[i]
		}
		return row, nil
	}
	where, args := h.where(who, v)
	return db.Select(ctx, q, scan, fmt.Sprintf("SELECT %s FROM %s WHERE %s", strings.Join(names, ", "), h.Table, where), args...)
}

// Count counts a person's rows of one table, those that they may not see too.
func (h Held) Count(ctx context.Context, q db.Q, p Person) (int64, error) {
	who := p.by(h.By)
	if who == "" {
		return 0, nil
	}
	return db.Get(ctx, q, nil, db.One[int64], fmt.Sprintf("SELECT count(*) FROM %s WHERE %s", h.Table, h.Where), who)
}

// Before counts everybody's rows of a dated table, and those of them that tell of
// what happened before a time.
func (h Held) Before(ctx context.Context, q db.Q, at time.Time) (all, before int64, err error) {
	all, err = db.Get(ctx, q, nil, db.One[int64], "SELECT count(*) FROM "+h.Table)
	if err != nil {
		return 0, 0, err
	}
	before, err = db.Get(ctx, q, nil, db.One[int64], fmt.Sprintf("SELECT count(*) FROM %s WHERE %s < $1", h.Table, h.Dated), db.Micros(at))
	return all, before, err
}

// Due finds where up to most of a person's rows stand that an erasure deletes, or
// where a law keeps them clears of what it does not keep; none: the table is done.
func (h Held) Due(ctx context.Context, q db.Q, p Person, most int) ([]db.Place, error) {
	who := p.by(h.By)
	if who == "" || h.Keeps != nil && len(h.Clears) == 0 {
		return nil, nil
	}
	if h.Keeps == nil {
		return db.Places(ctx, q, most, h.Table, h.Where, who)
	}
	_, full, args := h.clearing()
	return db.Places(ctx, q, most, h.Table, "("+h.Where+") AND ("+full+")", append([]any{who}, args...)...)
}

// EraseTx deletes or clears the rows at places that are still the person's, and
// returns how many that were. Twice is not an error.
func (h Held) EraseTx(ctx context.Context, tx *db.Tx, p Person, at []db.Place) (int64, error) {
	who, mine := p.by(h.By), cmp.Or(h.Each, h.Where)
	if who == "" || h.Keeps != nil && len(h.Clears) == 0 {
		return 0, nil
	}
	if h.Keeps == nil {
		return tx.DeleteAt(ctx, h.Table, at, mine, who)
	}
	set, _, args := h.clearing()
	return tx.UpdateAt(ctx, h.Table, set, at, mine, append([]any{who}, args...)...)
}

// clearing is what an erasure writes into kept rows, and which of them are not
// written yet, with the parameters from the second on.
func (h Held) clearing() (set, full string, args []any) {
	var sets, fulls []string
	for i, column := range slices.Sorted(maps.Keys(h.Clears)) {
		sets = append(sets, fmt.Sprintf("%s = $%d", column, i+2))
		fulls = append(fulls, fmt.Sprintf("%s <> $%d", column, i+2))
		args = append(args, h.Clears[column])
	}
	return strings.Join(sets, ", "), strings.Join(fulls, " OR "), args
}
