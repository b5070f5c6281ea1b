package api

import (
	"context"
	"sync"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
)

// ResourceEvent is what an event stream tells of a thing that was made,
// changed or deleted; what it is by now is read from its own path.
type ResourceEvent struct {
	ID      string `json:"id"`
	Version int64  `json:"version"` // 0 once it is gone
}

// watched is a kind of thing whose changes event streams tell. mark is a cheap
// fingerprint of those of an account; only when it differs are the versions
// read, by id.
type watched struct {
	name string // of the event: "ssl_server"
	mark func(context.Context, account.ID) (string, error)
	all  func(context.Context, account.ID) (map[string]int64, error)
}

// seen is what was seen of a kind. all is never changed: who has it may keep it.
type seen struct {
	mark string
	all  map[string]int64
}

// sight is what the streams of one account at this process see: they look once
// for all of them.
type sight struct {
	mu sync.Mutex
	at time.Time
	of []seen // as the kinds are ordered
}

// look returns what there is of each kind; read anew if that is half of eventEvery old, since ticks are not exact.
func (s *sight) look(ctx context.Context, kinds []watched, owner account.ID, now time.Time) ([]seen, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of != nil && now.Sub(s.at) < eventEvery/2 {
		return s.of, nil
	}
	next := make([]seen, len(kinds))
	for i, k := range kinds {
		mark, err := k.mark(ctx, owner)
		if err != nil {
			return nil, err
		}
		if s.of != nil && s.of[i].mark == mark {
			next[i] = s.of[i]
			continue
		}
		all, err := k.all(ctx, owner)
		if err != nil {
			return nil, err
		}
		next[i] = seen{mark, all}
	}
	s.at, s.of = now, next
	return next, nil
}

func changesOf(old, now seen) (found []ResourceEvent) {
	if old.mark == now.mark {
		return nil
	}
	for id, version := range now.all {
		if was, there := old.all[id]; !there || was != version {
			found = append(found, ResourceEvent{id, version})
		}
	}
	for id := range old.all {
		if _, there := now.all[id]; !there {
			found = append(found, ResourceEvent{ID: id})
		}
	}
	return found
}

// tellChanges sends what changed since the last look. The first tells nothing:
// who opens a stream reads the lists anyway.
func (st *stream) tellChanges(ctx context.Context) error {
	now, err := st.sight.look(ctx, st.api.watched, st.who.Account, time.Now())
	if err != nil {
		return err
	}
	for i := range st.seen {
		for _, e := range changesOf(st.seen[i], now[i]) {
			if err := st.send(st.api.watched[i].name, e); err != nil {
				return err
			}
		}
	}
	st.seen = now
	return nil
}
