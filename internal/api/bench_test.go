package api

import (
	"io"
	"testing"
)

// BenchmarkDescribe is a signed call over HTTP on one connection: signed by the
// client, verified, checked against the table, answered. The last template of 50 is described.
func BenchmarkDescribe(b *testing.B) {
	r := newRig(b)
	for i := range MaxTemplates {
		r.must("CreateLiveSnapshotTemplate", with(template, "TemplateName", "t"+itoa(i)))
	}
	call := r.post("DescribeLiveSnapshotTemplate", []byte(`{"TemplateId":50}`))
	b.ReportAllocs()
	for b.Loop() {
		reply, err := r.Client().Do(r.sign(call))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, reply.Body); err != nil {
			b.Fatal(err)
		}
		reply.Body.Close()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

// BenchmarkDescribeParallel is the same by many clients at once.
func BenchmarkDescribeParallel(b *testing.B) {
	r := newRig(b)
	r.must("CreateLiveSnapshotTemplate", template)
	call := r.post("DescribeLiveSnapshotTemplate", []byte(`{"TemplateId":1}`))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			reply, err := r.Client().Do(r.sign(call))
			if err != nil {
				b.Error(err)
				return
			}
			if _, err := io.Copy(io.Discard, reply.Body); err != nil {
				b.Error(err)
			}
			reply.Body.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}
