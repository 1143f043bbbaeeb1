#include "bindings/call_arrays.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "base/error.h"

namespace mbrt::bindings {
namespace py = pybind11;

namespace {

py::slice range(std::size_t begin, std::size_t end) {
  return {static_cast<py::ssize_t>(begin), static_cast<py::ssize_t>(end), 1};
}

py::object columns(const py::object& rows, std::size_t count) {
  return rows[py::make_tuple(py::ellipsis(), range(0, count))];
}

// Of one array, or of each array of a list.
py::object column(const py::object& rows, int index) {
  if (!py::isinstance<py::list>(rows)) return rows[py::make_tuple(py::ellipsis(), index)];
  py::list list;
  for (const py::handle array : rows) {
    list.append(column(py::reinterpret_borrow<py::object>(array), index));
  }
  return list;
}

Floats zeros(std::vector<std::size_t> shape) {
  Floats array(std::move(shape));
  std::fill_n(array.mutable_data(), array.size(), 0.0f);
  return array;
}

// rows [T][stride] as one array [B, S, count] with 0 in the padding.
py::object pad_sequences(const Floats& rows, std::size_t count, const Batch& batch, std::size_t s) {
  const std::size_t stride = static_cast<std::size_t>(rows.shape(1));
  if (batch.tokens() == batch.sequences * s) {
    return columns(Floats(rows).reshape({batch.sequences, s, stride}), count);
  }
  Floats padded = zeros({batch.sequences, s, count});
  for (std::size_t b = 0; b < batch.sequences; ++b) {
    float* to = padded.mutable_data() + b * s * count;
    for (std::size_t t = batch.offsets[b]; t < batch.offsets[b + 1]; ++t, to += count) {
      std::memcpy(to, rows.data() + t * stride, count * sizeof(float));
    }
  }
  return padded;
}

// One view [rows, count] per sequence, whose rows end at ends[b].
py::list split_sequences(const Floats& rows, std::size_t count, const std::size_t* ends,
                         std::size_t sequences) {
  py::list list;
  for (std::size_t b = 0, begin = 0; b < sequences; begin = ends[b++]) {
    list.append(rows[py::make_tuple(range(begin, ends[b]), range(0, count))]);
  }
  return list;
}

py::object per_token(const Floats& rows, std::size_t count, const Batch& batch,
                     std::optional<std::size_t> padded_length) {
  if (padded_length) return pad_sequences(rows, count, batch, *padded_length);
  return split_sequences(rows, count, batch.offsets + 1, batch.sequences);
}

// flat: for each sequence [L][A][S][S]. L lists of [A, S_b, S_b].
py::tuple split_attentions(const Floats& flat, const OutputShapes& shapes, const Batch& batch) {
  py::tuple layers(shapes.num_layers);
  for (std::size_t layer = 0; layer < shapes.num_layers; ++layer) {
    py::list list;
    for (std::size_t b = 0; b < batch.sequences; ++b) {
      const std::size_t s = batch.length(b);
      const std::size_t matrices = batch.pairs_before(b) * shapes.num_layers + layer * s * s;
      list.append(
          Floats({shapes.num_heads, s, s}, flat.data() + matrices * shapes.num_heads, flat));
    }
    layers[layer] = std::move(list);
  }
  return layers;
}

// L arrays [B, A, S, S] with 0 in the padding.
py::tuple pad_attentions(const Floats& flat, const OutputShapes& shapes, const Batch& batch,
                         std::size_t length) {
  py::tuple layers(shapes.num_layers);
  for (std::size_t layer = 0; layer < shapes.num_layers; ++layer) {
    Floats padded = zeros({batch.sequences, shapes.num_heads, length, length});
    float* to = padded.mutable_data();
    const float* sequence = flat.data();
    for (std::size_t b = 0; b < batch.sequences; ++b) {
      const std::size_t s = batch.length(b);
      const float* from = sequence + layer * shapes.num_heads * s * s;
      for (std::size_t head = 0; head < shapes.num_heads; ++head, to += length * length) {
        for (std::size_t row = 0; row < s; ++row, from += s) {
          std::memcpy(to + row * length, from, s * sizeof(float));
        }
      }
      sequence += shapes.num_layers * shapes.num_heads * s * s;
    }
    layers[layer] = std::move(padded);
  }
  return layers;
}

}  // namespace

float* CallArrays::add(Floats& array, std::vector<std::size_t> shape) {
  std::size_t bytes = sizeof(float);
  for (const std::size_t n : shape) {
    if (__builtin_mul_overflow(bytes, n, &bytes)) {
      throw InputError("output: its size overflows; give fewer or shorter sequences.");
    }
  }
  array = Floats(std::move(shape));
  return array.mutable_data();
}

CallArrays::CallArrays(const OutputShapes& shapes, const Batch& batch, const WantedOutputs& wanted)
    : shapes_(shapes), batch_(batch) {
  const std::size_t tokens = batch.tokens(), sequences = batch.sequences;
  if (wanted.logit_positions) choose_tokens(*wanted.logit_positions);
  const auto add_rows = [&](Floats& array, const OutputShape& shape, std::size_t rows) {
    return add(array, {rows, shape.stride()});
  };
  outputs_.last_hidden_state = add_rows(last_hidden_, shapes.hidden, tokens);
  if (wanted.hidden_states) {
    outputs_.hidden_states =
        add(hidden_states_, {shapes.num_layers + 1, tokens, shapes.hidden.stride()});
  }
  if (wanted.attentions) outputs_.attentions = add(attentions_, {shapes.attentions(batch)});
  if (shapes.pooled.exists()) outputs_.pooled = add_rows(pooled_, shapes.pooled, sequences);
  if (wanted.logits && shapes.logits.exists()) {
    const bool chosen = outputs_.logit_tokens != nullptr;
    outputs_.logits = add_rows(logits_, shapes.logits,
                               chosen ? chosen_.size() : shapes.logits.rows(tokens, sequences));
  }
  if (wanted.logits && shapes.next_sentence.exists()) {
    outputs_.next_sentence = add_rows(next_sentence_, shapes.next_sentence, sequences);
  }
}

void CallArrays::choose_tokens(const Positions& positions) {
  if (!shapes_.logits.per_token) {
    throw InputError(
        "logit_positions: this model's head gives one row of logits per sequence; leave it out.");
  }
  if (positions.size() != batch_.sequences) {
    throw InputError("logit_positions: " + std::to_string(positions.size()) +
                     " lists; the batch has " + std::to_string(batch_.sequences) +
                     " sequences. Give one list per sequence.");
  }
  chosen_.reserve(1);  // so that data() is not null, which would mean all tokens
  for (std::size_t b = 0; b < positions.size(); ++b) {
    std::int64_t last = -1;
    for (const std::int64_t position : positions[b]) {
      if (position <= last || position >= static_cast<std::int64_t>(batch_.length(b))) {
        throw InputError("logit_positions[" + std::to_string(b) + "]: found " +
                         std::to_string(position) + " after " + std::to_string(last) +
                         "; expected ascending indices from 0 to " +
                         std::to_string(batch_.length(b) - 1) + ".");
      }
      last = position;
      chosen_.push_back(batch_.offsets[b] + static_cast<std::size_t>(position));
    }
    chosen_end_.push_back(chosen_.size());
  }
  outputs_.logit_tokens = chosen_.data();
  outputs_.logit_token_count = chosen_.size();
}

py::dict CallArrays::layout(std::optional<std::size_t> padded_length) const {
  py::dict result;
  const std::size_t width = shapes_.hidden.columns;
  result["last_hidden_state"] = per_token(last_hidden_, width, batch_, padded_length);
  if (outputs_.hidden_states != nullptr) {
    py::tuple states(shapes_.num_layers + 1);
    for (std::size_t i = 0; i < states.size(); ++i) {
      states[i] = per_token(Floats(hidden_states_[py::int_(i)]), width, batch_, padded_length);
    }
    result["hidden_states"] = std::move(states);
  }
  if (outputs_.attentions != nullptr) {
    result["attentions"] = padded_length
                               ? pad_attentions(attentions_, shapes_, batch_, *padded_length)
                               : split_attentions(attentions_, shapes_, batch_);
  }
  if (outputs_.pooled != nullptr) {
    result["pooler_output"] = columns(pooled_, shapes_.pooled.columns);
  }
  if (outputs_.next_sentence != nullptr) {
    result["seq_relationship_logits"] = columns(next_sentence_, shapes_.next_sentence.columns);
  }
  if (outputs_.logits == nullptr) return result;
  const py::object logits = layout_logits(padded_length);
  if (shapes_.logits_are_spans) {
    result["start_logits"] = column(logits, 0);
    result["end_logits"] = column(logits, 1);
  } else {
    result["logits"] = logits;
  }
  return result;
}

py::object CallArrays::layout_logits(std::optional<std::size_t> padded_length) const {
  const std::size_t count = shapes_.logits.columns;
  if (outputs_.logit_tokens != nullptr) {
    return split_sequences(logits_, count, chosen_end_.data(), batch_.sequences);
  }
  if (!shapes_.logits.per_token) return columns(logits_, count);
  return per_token(logits_, count, batch_, padded_length);
}

}  // namespace mbrt::bindings
