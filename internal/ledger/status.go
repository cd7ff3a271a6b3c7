package ledger

import "context"

// Status is how the server is.
type Status struct {
	Version     string         `json:"version"`
	Started     Time           `json:"started"`
	UptimeS     float64        `json:"uptime_s"`
	Ready       bool           `json:"ready" doc:"Whether it takes pushes."`
	LiveStreams int            `json:"live_streams"`
	Spool       SpoolStatus    `json:"spool" doc:"Shots whose pictures are not stored yet."`
	Stores      []StoreStatus  `json:"stores" doc:"Object stores, the first one before its mirrors."`
	Deliveries  DeliveryCounts `json:"deliveries"`
}

// SpoolStatus is what waits for the object store.
type SpoolStatus struct {
	Shots int64 `json:"shots"`
	Bytes int64 `json:"bytes"`
}

// StoreStatus is one object store.
type StoreStatus struct {
	Name    string `json:"name" doc:"primary for the first one, else that of the mirror."`
	Type    string `json:"type" enum:"file,s3,cos"`
	Working bool   `json:"working" doc:"false: puts fail, pictures wait in the spool, and it is probed until it works again."`
}

// DeliveryCounts counts deliveries by state.
type DeliveryCounts struct {
	Waiting   int64 `json:"waiting"`
	Pending   int64 `json:"pending"`
	Claimed   int64 `json:"claimed"`
	Delivered int64 `json:"delivered"`
	Parked    int64 `json:"parked"`
}

func (c *call) getStatus(ctx context.Context, _ struct{}) (Status, error) { return c.opts.Status(ctx) }
