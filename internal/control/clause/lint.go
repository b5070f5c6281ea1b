package clause

import (
	"fmt"
	"slices"
	"time"
)

// Lint says what stands against publishing a text on a day: ids that it promises
// and nothing keeps, that are planned only, that the registry does not know, or
// whose law is not in force. promised are the ids of the text.
func Lint(all []Clause, promised []string, day time.Time) (problems []string) {
	for _, id := range promised {
		i := slices.IndexFunc(all, func(c Clause) bool { return c.ID == id })
		if i < 0 {
			problems = append(problems, id+" is in the text and not in the registry")
			continue
		}
		problems = append(problems, all[i].against(day)...)
	}
	return problems
}

func (c Clause) against(day time.Time) (problems []string) {
	switch c.State() {
	case Planned:
		problems = append(problems, fmt.Sprintf("%s is promised already and comes with %q only", c.ID, c.Planned))
	case Open:
		problems = append(problems, c.ID+" is promised and nothing enforces it")
	}
	if len(c.Law) > 0 && !slices.ContainsFunc(c.Law, func(l Law) bool { return l.InForce(day) }) {
		problems = append(problems, c.ID+" rests on no article that is in force")
	}
	return problems
}
