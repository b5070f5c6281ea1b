package clause

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// lawNames are the acts that texts name, by the reference of the registry.
var lawNames = map[string][]string{
	"CSL":  {"网络安全法", "Cybersecurity Law"},
	"CTL":  {"反恐怖主义法", "Counter-Terrorism Law"},
	"PIPL": {"个人信息保护法", "Personal Information Protection Law"},
	"DSL":  {"数据安全法", "Data Security Law"},
	"ECL":  {"电子商务法", "E-Commerce Law"},
	"NDR":  {"网络数据安全管理条例", "Network Data Security Regulations"},
}

// Reference is an article that a text names.
type Reference struct{ Ref, Article string }

type citation struct {
	ref  string
	form *regexp.Regexp
}

// citations are the ways in which a text names an article. The article is the
// first group that is not empty.
var citations = func() (all []citation) {
	for ref, names := range lawNames {
		zh, en := names[0], names[1]
		all = append(all,
			citation{ref, regexp.MustCompile(zh + `》?第([一二三四五六七八九十百零0-9]+)条`)},
			citation{ref, regexp.MustCompile(`(?i)art(?:icle|\.) ([0-9]+) of the ` + en + `|` + en + `,? art(?:icle|\.) ([0-9]+)`)})
	}
	return all
}()

// References lists the articles that a text names.
func References(text string) (all []Reference) {
	for _, c := range citations {
		for _, m := range c.form.FindAllStringSubmatch(text, -1) {
			article := strings.Join(m[1:], "")
			if n := chinese(article); n > 0 {
				article = strconv.Itoa(n)
			}
			all = append(all, Reference{c.ref, article})
		}
	}
	return all
}

var digits = map[rune]int{'零': 0, '一': 1, '二': 2, '三': 3, '四': 4, '五': 5, '六': 6, '七': 7, '八': 8, '九': 9}

// chinese reads a number up to 999 in characters, 0 for anything else.
func chinese(s string) int {
	sum, last := 0, 0
	for _, r := range s {
		switch d, isDigit := digits[r]; {
		case isDigit:
			last = d
		case r == '十':
			sum, last = sum+max(last, 1)*10, 0
		case r == '百':
			sum, last = sum+max(last, 1)*100, 0
		default:
			return 0
		}
	}
	return sum + last
}

// Cited says which articles that a text names are not in force on a day, or not
// in the registry, and what to name instead.
func Cited(all []Clause, text string, day time.Time) (problems []Problem) {
	for _, r := range References(text) {
		if what := r.against(all, day); what != "" {
			problems = append(problems, Problem{What: what})
		}
	}
	return problems
}

func (r Reference) against(all []Clause, day time.Time) string {
	known, successor := false, ""
	for _, c := range all {
		for _, l := range c.Law {
			if l.Ref != r.Ref || l.Article != r.Article {
				continue
			}
			if l.InForce(day) {
				return ""
			}
			known = true
			if l.Successor != "" {
				successor = fmt.Sprintf(": name %s %s instead", r.Ref, l.Successor)
			}
		}
	}
	if !known {
		return fmt.Sprintf("the text names %s %s, which the registry does not have", r.Ref, r.Article)
	}
	return fmt.Sprintf("the text names %s %s, which is not in force on %s%s", r.Ref, r.Article, day.Format(time.DateOnly), successor)
}
