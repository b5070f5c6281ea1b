package invoice

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/pdf"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Places on the page, in points.
const (
	left, right = 50.0, pdf.Width - 50
	middle      = 310.0
	timeColumn  = 420.0
	small, body = 8.0, 10.0
	leading     = 14.0
	bottom      = 70.0
)

// PDF prints a document in a language: "zh-CN" or "en". It is made of the snapshot
// only, so that it is the same whenever it is asked for.
func (s *Service) PDF(ctx context.Context, d Document, language string) ([]byte, error) {
	of := ""
	if d.Invoice != "" {
		i, err := getDocument(ctx, s.d.DB, d.Invoice)
		if err == nil {
			of = i.Number()
		}
	}
	return print(d, of, speaking(language)), nil
}

// sheet is a document on its way to paper.
type sheet struct {
	*pdf.Document
	speaker
	y     float64
	pages int
	all   int // pages in the end; 0 while they are counted
}

func print(d Document, of string, s speaker) []byte {
	counted := draw(d, of, s, 0)
	return draw(d, of, s, counted.pages).Bytes()
}

func draw(d Document, of string, s speaker, pages int) *sheet {
	p := &sheet{Document: pdf.New(s.say(string(d.Kind), "") + " " + d.Number()), speaker: s, all: pages}
	p.next()
	p.head(d, of)
	p.lines(d)
	p.sums(d)
	p.notes()
	return p
}

func (p *sheet) next() {
	p.Page()
	p.pages++
	p.y = pdf.Height - 70
	if p.all > 0 {
		p.Right(right, 40, small, strings.ReplaceAll(p.say("page", itoa(p.pages)), "{of}", itoa(p.all)))
	}
}

// room begins a page if less than a height is left on this one.
func (p *sheet) room(height float64) {
	if p.y-height < bottom {
		p.next()
	}
}

func (p *sheet) day(at time.Time) string { return civil.DayOf(at).String() }

func (p *sheet) pair(x float64, key, value string) {
	p.Text(x, p.y, body, p.say(key, "")+p.colon()+value)
	p.y -= leading
}

func (p *sheet) colon() string {
	if p.speaker == "en" {
		return ": "
	}
	return "："
}

func (p *sheet) head(d Document, of string) {
	p.Text(left, p.y, 20, p.say(string(d.Kind), ""))
	p.Right(right, p.y, 12, d.Number())
	p.y -= 16
	p.Rule(left, right, p.y, 1)
	p.y -= 24
	top := p.y
	p.Text(left, p.y, small, p.say("seller", ""))
	p.y -= leading
	for _, text := range []string{d.Seller.Name, d.Seller.Address, d.Seller.Mail, d.Seller.Phone} {
		for _, line := range pdf.Wrap(text, body, middle-left-20) {
			p.Text(left, p.y, body, line)
			p.y -= leading
		}
	}
	if d.Seller.TaxNo != "" {
		p.pair(left, "tax_no", d.Seller.TaxNo)
	}
	low := p.y
	p.y = top
	p.Text(middle, p.y, small, p.say("buyer", ""))
	p.y -= leading
	p.pair(middle, "account", string(d.Account))
	p.pair(middle, "order", d.Order)
	if d.Refund != "" {
		p.pair(middle, "refund", d.Refund)
	}
	if of != "" {
		p.pair(middle, "of_invoice", of)
	}
	p.pair(middle, map[Kind]string{Invoice: "paid", CreditNote: "returned"}[d.Kind], p.day(d.PaidAt))
	p.pair(middle, "issued", p.day(d.IssuedAt))
	p.y = min(low, p.y) - 16
}

func (p *sheet) lines(d Document) {
	p.Text(left, p.y, small, p.say("item", ""))
	p.Text(timeColumn, p.y, small, p.say("time", ""))
	p.Right(right, p.y, small, p.say("amount", "")+" ("+string(d.Total.Cur)+")")
	p.y -= 6
	p.Rule(left, right, p.y, 0.5)
	p.y -= leading
	for _, l := range d.Lines {
		product, region, options := l.What(string(p.speaker))
		text := append(pdf.Wrap(product+" / "+region+" / "+p.say(d.OrderKind, ""), body, timeColumn-left-10), pdf.Wrap(options, small, timeColumn-left-10)...)
		p.room(leading * float64(len(text)+1))
		p.Text(timeColumn, p.y, body, p.months(l.Months))
		p.Right(right, p.y, body, sign(d)+l.Amount.String())
		for i, line := range text {
			size := body
			if i > 0 {
				size = small
			}
			p.Text(left, p.y, size, line)
			p.y -= leading
		}
		p.y -= 4
	}
	p.Rule(left, right, p.y+8, 0.5)
}

// sign stands before the amounts of what goes back.
func sign(d Document) string {
	if d.Kind == CreditNote {
		return "-"
	}
	return ""
}

func (p *sheet) sums(d Document) {
	p.room(4 * leading)
	p.y -= 10
	if d.TaxRate > 0 {
		p.sum("net", "", sign(d)+d.Net().String(), body)
		p.sum("tax", " ("+percent(d.TaxRate)+")", sign(d)+d.Tax.String(), body)
	}
	p.sum("total", "", sign(d)+d.Total.String()+" "+string(d.Total.Cur), 13)
}

func (p *sheet) sum(key, more, amount string, size float64) {
	p.Text(middle, p.y, size, p.say(key, "")+more)
	p.Right(right, p.y, size, amount)
	p.y -= leading + size - body + 2
}

func (p *sheet) notes() {
	p.room(3 * leading)
	p.y -= 20
	for _, key := range []string{"not_fapiao", "buyer_note"} {
		p.Text(left, p.y, small, p.say(key, ""))
		p.y -= 12
	}
}

// percent prints a rate in hundredths of a per cent: 600 is "6%".
func percent(rate int64) string {
	text := strconv.FormatInt(rate/100, 10)
	if part := rate % 100; part > 0 {
		text += strings.TrimRight("."+strconv.FormatInt(100+part, 10)[1:], "0")
	}
	return text + "%"
}
