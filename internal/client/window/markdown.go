package window

import (
	"fmt"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extended "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
)

// span is a piece of a paragraph that looks the same.
type span struct {
	text string
	bold bool
}

// passage is a block of a document: a heading (1 to 6), or a paragraph (0) that
// may be an item of a list.
type passage struct {
	heading int
	marker  string // of an item: a bullet or a number
	depth   int    // of lists
	spans   []span
}

func (p passage) plain() string {
	var b strings.Builder
	for _, s := range p.spans {
		b.WriteString(s.text)
	}
	return b.String()
}

var markdown = goldmark.New(goldmark.WithExtensions(extension.Table)).Parser()

// read takes a document apart. Pictures and HTML have no place in a policy and are
// left out; a link is its text, since the window opens no pages.
func read(document string) []passage {
	r := reader{source: []byte(document)}
	r.blocks(markdown.Parse(text.NewReader(r.source)), 0)
	return r.all
}

type reader struct {
	source []byte
	all    []passage
}

func (r *reader) blocks(parent ast.Node, depth int) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Heading:
			r.add(passage{heading: n.Level, spans: r.spans(n, false)})
		case *ast.Paragraph, *ast.TextBlock:
			r.add(passage{depth: depth, spans: r.spans(n, false)})
		case *ast.List:
			r.list(n, depth)
		case *extended.Table:
			r.table(n)
		case *ast.Blockquote:
			r.blocks(n, depth+1)
		}
	}
}

func (r *reader) add(p passage) {
	if strings.TrimSpace(p.plain()) != "" {
		r.all = append(r.all, p)
	}
}

func (r *reader) list(n *ast.List, depth int) {
	number := n.Start
	for item := n.FirstChild(); item != nil; item = item.NextSibling() {
		from := len(r.all)
		r.blocks(item, depth+1)
		if from < len(r.all) {
			r.all[from].marker = "•"
			if n.IsOrdered() {
				r.all[from].marker = fmt.Sprintf("%d.", number)
			}
		}
		number++
	}
}

// table makes of each row a paragraph "head: value", which any width can hold.
func (r *reader) table(n *extended.Table) {
	var heads []string
	for row := n.FirstChild(); row != nil; row = row.NextSibling() {
		_, head := row.(*extended.TableHeader)
		p, i := passage{marker: "•", depth: 1}, 0
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			spans := r.spans(cell, false)
			if head {
				heads = append(heads, passage{spans: spans}.plain())
				continue
			}
			if i > 0 {
				p.spans = append(p.spans, span{text: "; "})
			}
			if i < len(heads) {
				p.spans = append(p.spans, span{text: heads[i] + ": "})
			}
			p.spans = append(p.spans, spans...)
			i++
		}
		r.add(p)
	}
}

func (r *reader) spans(parent ast.Node, bold bool) (all []span) {
	for n := parent.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Text:
			s := string(n.Segment.Value(r.source))
			if n.HardLineBreak() || n.SoftLineBreak() {
				s += " "
			}
			all = append(all, span{s, bold})
		case *ast.String:
			all = append(all, span{string(n.Value), bold})
		case *ast.AutoLink:
			all = append(all, span{string(n.URL(r.source)), bold})
		case *ast.Emphasis:
			all = append(all, r.spans(n, bold || n.Level == 2)...)
		default:
			all = append(all, r.spans(n, bold)...)
		}
	}
	return all
}

// document is the blocks of a text, for scroll.
func (u *UI) document(all []passage) []W {
	ws := make([]W, len(all))
	for i, p := range all {
		ws[i] = u.passage(p, i == 0)
	}
	return ws
}

func (u *UI) passage(p passage, first bool) W {
	st := style{}
	switch {
	case p.heading == 1:
		st = style{size: sizeTitle, bold: true}
	case p.heading == 2:
		st = style{size: sizeLead, bold: true}
	case p.heading > 2:
		st = style{bold: true}
	}
	w := u.flow(st, p.spans)
	if p.heading > 1 && !first {
		w = column(0, space(10), w)
	}
	if p.depth > 0 {
		w = u.item(p, w)
	}
	return w
}
