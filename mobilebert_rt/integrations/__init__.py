"""Other libraries: Ray and Spark. Nothing here is imported by the rest of the package."""
