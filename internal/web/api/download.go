package api

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/web/download"
)

// Download is a release of the VPN client.
type Download struct {
	Version string    `json:"version" example:"v1.2.3"`
	System  string    `json:"system" example:"linux-amd64"`
	Program string    `json:"program" enum:"skyconnect,skyconnect-window" doc:"The command line with its service, or the window"`
	Size    int64     `json:"size" doc:"Bytes"`
	SHA256  string    `json:"sha256"`
	Notes   string    `json:"notes" doc:"What is new"`
	At      time.Time `json:"at"`
	Path    string    `json:"path" doc:"Of the URL at this server"`
}

// Downloads registers the list of releases that the console shows.
func Downloads(a *API, s *download.Shelf) {
	Get(a, "/downloads", Operation{ID: "list-downloads", Summary: "Releases of the VPN client, the newest first", Tag: "Downloads", Access: Public},
		func(context.Context, *struct{}) (*Body[List[Download]], error) {
			all, err := s.List()
			if err != nil {
				return nil, err
			}
			return &Body[List[Download]]{List[Download]{Items: Items(all, func(r download.Release) Download { return Download(r) })}}, nil
		})
}
