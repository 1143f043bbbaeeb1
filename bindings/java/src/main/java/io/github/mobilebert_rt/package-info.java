/**
 * MobileBERT and small BERT encoders on a CPU: sentence vectors, labels, answers and more, with the same bits as the
 * Python package.
 *
 * <p>A {@link io.github.mobilebert_rt.Model} is opened from a file or from memory and closed by its user. The task
 * classes, such as {@link io.github.mobilebert_rt.TextEmbedder}, use it. Models and tasks are immutable: any number of
 * threads may call them at the same time. If a model is closed while calls run, these calls finish; later ones throw
 * {@link IllegalStateException}.
 *
 * <p>No method takes or returns null; null as an argument is a {@link NullPointerException}. Wrong arguments and texts
 * are an {@link IllegalArgumentException}, with the message of the engine.
 */
package io.github.mobilebert_rt;
