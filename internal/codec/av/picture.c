#include "picture.h"

#include <stdlib.h>
#include <string.h>

#include "scale.h"

enum { chroma_centre = 128 };

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// cut_span brings a span of the whole frame, which is frame_size long, to an image of size, where it begins with a sample
// of chroma.
static void cut_span(int *start, int *length, int frame_size, int size, int shift)
{
    int64_t from = (int64_t)*start * size / frame_size >> shift << shift;
    int64_t count = ((int64_t)*length * size + frame_size - 1) / frame_size;
    *start = (int)from;
    *length = (int)smaller(count, size - from);
}

// view_plane is what a crop shows of a plane.
static sc_plane view_plane(const sc_image *image, int plane, sc_rect crop)
{
    int shift_x = plane > 0 ? image->shift_x : 0, shift_y = plane > 0 ? image->shift_y : 0;
    ptrdiff_t x = crop.x >> shift_x, y = crop.y >> shift_y;
    return (sc_plane){
        .data = image->data[plane] + y * image->stride[plane] + x,
        .stride = image->stride[plane],
        .width = (crop.width + (1 << shift_x) - 1) >> shift_x,
        .height = (crop.height + (1 << shift_y) - 1) >> shift_y,
    };
}

// chroma_extent returns how many samples of chroma the chroma of size pixels of a picture stands for. Of an odd size the
// last sample reaches beyond the picture, and so it must in the source, or chroma would be drawn out against luma.
static int chroma_extent(int size, int crop_size, int shift)
{
    int64_t pixels = (int64_t)(size + 1) / 2 * 2 * crop_size; // times size
    int64_t unit = (int64_t)size << shift;
    int64_t extent = (pixels + unit / 2) / unit;
    return extent < 1 ? 1 : (int)extent;
}

// mirrored is the sample that stands for one beyond the end of count.
static int mirrored(int index, int count)
{
    int back = 2 * count - 1 - index;
    return index < count ? index : back < 0 ? 0 : back;
}

// extend makes a plane of a larger size by mirroring the end of the source.
static int extend(sc_plane *to, const sc_plane *from, int width, int height)
{
    *to = (sc_plane){.stride = width, .width = width, .height = height};
    to->data = malloc((size_t)width * (size_t)height);
    if (!to->data) {
        return AVERROR(ENOMEM);
    }
    int copied = (int)smaller(width, from->width);
    for (ptrdiff_t y = 0; y < height; y++) {
        const uint8_t *source = from->data + (ptrdiff_t)mirrored((int)y, from->height) * from->stride;
        uint8_t *row = to->data + y * width;
        memcpy(row, source, (size_t)copied);
        for (int x = copied; x < width; x++) {
            row[x] = source[mirrored(x, from->width)];
        }
    }
    return 0;
}

static int scale_chroma(const sc_plane *to, const sc_image *image, int plane, sc_rect crop, sc_rect box)
{
    sc_plane from = view_plane(image, plane, crop), extended = {0};
    int width = chroma_extent(box.width, crop.width, image->shift_x);
    int height = chroma_extent(box.height, crop.height, image->shift_y);
    if (width > from.width || height > from.height) {
        int code = extend(&extended, &from, width, height);
        if (code < 0) {
            return code;
        }
        from = extended;
    }
    from.width = width;
    from.height = height;
    int code = sc_scale_plane(to, &from);
    free(extended.data);
    return code;
}

static void fill_rows(uint8_t *data, int stride, int width, int height, int value)
{
    for (ptrdiff_t y = 0; y < height; y++) {
        memset(data + y * stride, value, (size_t)width);
    }
}

// part_of is the part of a plane of the picture that a box stands for.
static sc_plane part_of(const AVFrame *frame, int plane, sc_rect box)
{
    int shift = plane > 0;
    return (sc_plane){
        .data = frame->data[plane] + (ptrdiff_t)(box.y >> shift) * frame->linesize[plane] + (box.x >> shift),
        .stride = frame->linesize[plane],
        .width = (box.width + shift) >> shift,
        .height = (box.height + shift) >> shift,
    };
}

// blacken makes the whole picture black, in the colours of its stream.
static void blacken(const sc_picture *picture)
{
    for (int i = 0; i < 3; i++) {
        sc_plane all = part_of(picture->frame, i, (sc_rect){0, 0, picture->frame->width, picture->frame->height});
        fill_rows(all.data, all.stride, all.width, all.height, i == 0 ? picture->colour.luma_offset : chroma_centre);
    }
}

// scale fills the box of a picture.
static int scale(const sc_picture *picture, const sc_image *image, sc_rect crop, sc_rect box)
{
    sc_plane luma = part_of(picture->frame, 0, box), from = view_plane(image, 0, crop);
    int code = sc_scale_plane(&luma, &from);
    for (int i = 1; code == 0 && i < 3; i++) {
        sc_plane chroma = part_of(picture->frame, i, box);
        if (image->planes < 3) {
            fill_rows(chroma.data, chroma.stride, chroma.width, chroma.height, chroma_centre);
        } else {
            code = scale_chroma(&chroma, image, i, crop, box);
        }
    }
    return code;
}

// share makes a picture of a part of the image without copying it.
static int share(sc_picture *picture, const sc_image *image, sc_rect crop)
{
    int code = av_frame_ref(picture->frame, image->owner);
    if (code < 0) {
        return code;
    }
    for (int i = 0; i < 3; i++) {
        sc_plane plane = view_plane(image, i, crop);
        picture->frame->data[i] = plane.data;
        picture->frame->linesize[i] = plane.stride;
    }
    picture->frame->format = AV_PIX_FMT_YUV420P;
    picture->frame->width = crop.width;
    picture->frame->height = crop.height;
    return 0;
}

// even_span moves a span of a picture's side so that no sample of chroma belongs to the black beside it too.
static void even_span(int *start, int *length, int size)
{
    int end = *start + *length;
    end = end < size ? (end + 1) / 2 * 2 : end;
    *start = *start / 2 * 2;
    *length = (end < size ? end : size) - *start;
}

static int fill(sc_picture *picture, const sc_image *image, sc_rect all, sc_rect crop, sc_rect box)
{
    AVFrame *frame = picture->frame;
    int is_420 = image->planes == 3 && image->shift_x == 1 && image->shift_y == 1;
    int whole = box.width == all.width && box.height == all.height;
    if (is_420 && whole && crop.width == box.width && crop.height == box.height) {
        return share(picture, image, crop);
    }
    frame->format = AV_PIX_FMT_YUV420P;
    frame->width = all.width;
    frame->height = all.height;
    int code = av_frame_get_buffer(frame, 0);
    if (code < 0) {
        return code;
    }
    if (!whole) {
        blacken(picture);
    }
    return scale(picture, image, crop, box);
}

int sc_picture_make(sc_picture **out, const sc_upright *from, int width, int height, sc_rect crop, sc_rect box)
{
    const sc_image *image = &from->image;
    sc_picture *picture = calloc(1, sizeof *picture);
    if (!picture) {
        return AVERROR(ENOMEM);
    }
    picture->colour = from->colour;
    picture->frame = av_frame_alloc();
    int code = AVERROR(ENOMEM);
    if (picture->frame) {
        cut_span(&crop.x, &crop.width, from->frame_width, image->width, image->planes == 3 ? image->shift_x : 0);
        cut_span(&crop.y, &crop.height, from->frame_height, image->height, image->planes == 3 ? image->shift_y : 0);
        even_span(&box.x, &box.width, width);
        even_span(&box.y, &box.height, height);
        code = fill(picture, image, (sc_rect){0, 0, width, height}, crop, box);
    }
    if (code < 0) {
        sc_picture_free(picture);
        return code;
    }
    *out = picture;
    return 0;
}

void sc_picture_free(sc_picture *picture)
{
    if (!picture) {
        return;
    }
    av_frame_free(&picture->frame);
    free(picture);
}
