package order

import "time"

// Prorate is what a change from a price to another costs at an instant of a
// period that was paid at the old price; the old price's credit comes from the
// period's value.
func Prorate(monthly, dearer int64, months int, length, at time.Duration) int64 {
	return prorated(dearer, monthly*int64(months), 0, months, length, at)
}

// ProrateBack is what the reverse costs at the same instant: the credit is what
// the change has left.
func ProrateBack(monthly, dearer int64, months int, length, at time.Duration) int64 {
	start := time.Unix(0, 0)
	p, err := prorate(dearer, []span{{start, start.Add(length), months}}, nil, start.Add(at))
	if err != nil {
		panic(err)
	}
	return prorated(monthly, p.charge, at, months, length, at)
}

func prorated(monthly, value int64, from time.Duration, months int, length, at time.Duration) int64 {
	start := time.Unix(0, 0)
	p, err := prorate(monthly, []span{{start, start.Add(length), months}}, []segment{{start.Add(from), start.Add(length), value}}, start.Add(at))
	if err != nil {
		panic(err)
	}
	return p.charge - p.credit
}
