package sqlite

import "github.com/stillcast/stillcast"

// factsColumns and factsJoin belong to shotColumns. Shots from before there were
// facts have none.
const (
	factsColumns = `coalesce(facts.format, 'jpeg'), coalesce(facts.accuracy, 'keyframe'),
		facts.timestamp_ns, facts.age_ns, facts.decode_ns, facts.scale_ns, facts.encode_ns, facts.luma, facts.variance,
		facts.black, facts.solid, facts.hash, coalesce(facts.distance, -1), facts.duplicate`
	factsJoin = " LEFT JOIN facts ON facts.shot = shot.id "
)

// factsDest takes the factsColumns.
func (s *shotScan) factsDest() []any {
	f := &s.s.Facts
	return []any{
		orZero(&s.s.Format), orZero(&f.Accuracy), orZero(&f.Timestamp), orZero(&f.Age),
		orZero(&f.Decode), orZero(&f.Scale), orZero(&f.Encode), orZero(&f.Luma), orZero(&f.Variance),
		orZero(&f.Black), orZero(&f.Solid), orZero(&s.hash), orZero(&f.Distance), orZero(&f.Duplicate),
	}
}

func (t *tx) addFacts(shot stillcast.Shot) error {
	f := shot.Facts
	_, err := t.exec(`INSERT INTO facts (shot, format, accuracy, timestamp_ns, age_ns, decode_ns, scale_ns, encode_ns,
		luma, variance, black, solid, hash, distance, duplicate) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		shot.ID, string(shot.Format), string(f.Accuracy), int64(f.Timestamp), int64(f.Age),
		int64(f.Decode), int64(f.Scale), int64(f.Encode), f.Luma, f.Variance, f.Black, f.Solid,
		int64(f.Hash), f.Distance, f.Duplicate) //nolint:gosec // the 64 bits, whatever their sign
	return err
}
