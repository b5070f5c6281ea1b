package api

import (
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Money is an amount on the wire: text, never a number.
type Money struct {
	Amount   string `json:"amount" example:"199.00" doc:"With all decimals of its currency"`
	Currency string `json:"currency" example:"CNY"`
}

func toMoney(m money.Money) Money { return Money{m.String(), string(m.Cur)} }

// toTime omits the zero time.
func toTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// nextCursor is the id of the last item of a full page.
func nextCursor[T any](items []T, limit int, id func(T) string) string {
	if len(items) < limit || len(items) == 0 {
		return ""
	}
	return id(items[len(items)-1])
}
