package incident

import (
	"context"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// Grade is how grave an incident is, by the number of people (measures for
// reporting network security incidents, annex).
type Grade string

// Grades, in rising order: 一般, 较大, 重大, 特别重大.
const (
	Ordinary Grade = "ordinary"
	Large    Grade = "large"
	Major    Grade = "major"
	Extreme  Grade = "extreme"
)

// limits are the numbers of distinct people from which a grade counts, the
// number itself included.
var limits = []struct {
	from  int64
	grade Grade
}{{100_000_000, Extreme}, {10_000_000, Major}, {1_000_000, Large}}

// GradeOf is the grade of an incident that reaches n distinct people.
func GradeOf(n int64) Grade {
	for _, l := range limits {
		if n >= l.from {
			return l.grade
		}
	}
	return Ordinary
}

// rank orders grades; none is below all.
func (g Grade) rank() int {
	for i, k := range []Grade{Ordinary, Large, Major, Extreme} {
		if g == k {
			return i + 1
		}
	}
	return 0
}

// Counter says how many distinct people an incident reaches, once all are
// listed. A drill puts one in that stands each person for many.
type Counter func(ctx context.Context, q db.Q, incident string) (int64, error)

func countPeople(ctx context.Context, q db.Q, incident string) (int64, error) {
	return db.Get(ctx, q, nil, db.One[int64], "SELECT count(*) FROM incident_person WHERE incident = $1", incident)
}
