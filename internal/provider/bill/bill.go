// Package bill reads the comma-separated bills of payment providers: a heading
// somewhere near the top, columns found by their names, cells that begin with a
// backtick or end with a tab.
//
// It is not for what the columns mean.
package bill

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// ErrForm is a bill without the columns that were asked for, or with a line that
// is none.
var ErrForm = errors.New("a bill of another form")

// Row is a line by the names of its columns.
type Row struct {
	at    map[string]int
	cells []string
}

// Cell returns a cell, without backtick and space around it; empty if there is
// no such column.
func (r Row) Cell(name string) string {
	i, ok := r.at[name]
	if !ok || i >= len(r.cells) {
		return ""
	}
	return clean(r.cells[i])
}

// Len is how many cells the line has.
func (r Row) Len() int { return len(r.cells) }

// Raw is the first cell as it stands in the file.
func (r Row) Raw() string { return r.cells[0] }

// Money returns an amount of yuan without its sign. An empty cell is zero.
func (r Row) Money(name string) (money.Money, error) {
	text := strings.TrimLeft(r.Cell(name), "-+")
	if text == "" {
		return money.New(0, money.CNY), nil
	}
	m, err := money.Parse(text, money.CNY)
	if err != nil {
		// Rates and fees come with more decimals than a currency has: only zeros may be cut.
		m, err = money.Parse(strings.TrimSuffix(strings.TrimRight(text, "0"), "."), money.CNY)
	}
	if err != nil {
		return m, fmt.Errorf("%w: column %s", ErrForm, name)
	}
	return m, nil
}

// Read finds the heading, the first line that has all the columns needed, and
// calls each for the lines below it. io.EOF from each ends the reading.
func Read(r io.Reader, needed []string, each func(Row) error) error {
	lines := csv.NewReader(r)
	lines.FieldsPerRecord, lines.LazyQuotes, lines.ReuseRecord = -1, true, false
	var at map[string]int
	for {
		cells, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrForm, bare(err))
		}
		if at == nil {
			at = heading(cells, needed)
			continue
		}
		err = each(Row{at, cells})
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	if at == nil {
		return ErrForm
	}
	return nil
}

// bare keeps a failed reading, such as of a connection, and drops what a parser
// says of a line.
func bare(err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func heading(cells, needed []string) map[string]int {
	at := map[string]int{}
	for i, c := range cells {
		if _, twice := at[clean(c)]; !twice {
			at[clean(c)] = i
		}
	}
	for _, n := range needed {
		if _, ok := at[n]; !ok {
			return nil
		}
	}
	return at
}

func clean(cell string) string {
	cell = strings.TrimSpace(strings.TrimPrefix(cell, "\ufeff"))
	return strings.TrimSpace(strings.TrimPrefix(cell, "`"))
}
